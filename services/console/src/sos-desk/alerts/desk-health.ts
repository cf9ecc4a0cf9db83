import type { LinkStatus } from '../../data/link-status.ts';

/**
 * How far the queue can be believed. `reading`: events do not come, and it is read again every few seconds. `events-only`: new alerts are
 * told, and the stored ones cannot be read. `offline`: neither.
 */
export type DeskHealth = 'live' | 'reading' | 'events-only' | 'offline';

/** Decide it. Pure. */
export function deskHealthOf({ link, readError }: { link: LinkStatus['kind']; readError: unknown }): DeskHealth {
  const isRead = readError === undefined;
  if (link === 'offline') return 'offline';
  if (link === 'live' || link === 'behind') return isRead ? 'live' : 'events-only';
  // On the way to the first connection nothing is wrong yet.
  if (link === 'connecting') return isRead ? 'live' : 'offline';
  return isRead ? 'reading' : 'offline';
}
