import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { ConnectionState } from '@hushryd/sdk/connection/connection-state';

/** What the connection pill says. Every kind has its word and its shape; colour only repeats it. */
export type LinkStatus =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** Connected, but what arrives is older than it should be. */
  | { kind: 'behind'; byMs: number }
  /** Positions do not move: the server says that its live data is away. */
  | { kind: 'degraded' }
  | { kind: 'reconnecting'; nextTryInMs: number; attempt: number }
  | { kind: 'offline'; why: 'no-network' | 'ended' | 'ended-by-operator' };

/** Network jitter and a busy browser make a second or two; more than this is worth telling. */
const lateMs = 2_500;
/** The map's feed speaks once a second while vehicles report; a small fleet reports once an interval. */
const minQuietMs = 5_000;
const quietIntervals = 2.5;

/** Decide what the pill says. Pure. */
export function linkStatusOf(input: {
  connection: ConnectionState;
  isNetworkUp: boolean;
  isServerLive: boolean;
  /** How late the newest frame was. */
  lagMs: number;
  /** How often a vehicle is expected to report. */
  intervalMs: number;
  /** Since the newest frame; undefined before the first. */
  quietMs: number | undefined;
  /** Vehicles moved in the newest frame, so that more was to be expected. */
  isMoreExpected: boolean;
  nowMs: number;
}): LinkStatus {
  const { connection } = input;
  if (connection.name === 'closed' && connection.reason !== 'not_started') {
    const isByOperator = connection.code === closeCodes.endedByOperator;
    return { kind: 'offline', why: isByOperator ? 'ended-by-operator' : 'ended' };
  }
  if (connection.name !== 'live' && !input.isNetworkUp) return { kind: 'offline', why: 'no-network' };
  if (connection.name === 'reconnecting') {
    return {
      kind: 'reconnecting',
      nextTryInMs: Math.max(0, connection.nextTryAtMs - input.nowMs),
      attempt: connection.attempt,
    };
  }
  if (connection.name !== 'live') {
    const isFirst = connection.name === 'closed' || connection.attempt === 0;
    return isFirst ? { kind: 'connecting' } : { kind: 'reconnecting', nextTryInMs: 0, attempt: connection.attempt };
  }
  if (!input.isServerLive) return { kind: 'degraded' };
  const quietMs = input.isMoreExpected ? (input.quietMs ?? 0) : 0;
  if (quietMs > Math.max(minQuietMs, input.intervalMs * quietIntervals)) return { kind: 'behind', byMs: quietMs };
  if (input.lagMs > lateMs) return { kind: 'behind', byMs: input.lagMs };
  return { kind: 'live' };
}

const offlineWords: Record<Extract<LinkStatus, { kind: 'offline' }>['why'], string> = {
  'no-network': 'Offline',
  ended: 'Disconnected by the server',
  'ended-by-operator': 'Disconnected by an operator',
};

/** The session is over, and whoever sees this page has to sign in again: it was refused, signed out or banned. */
export function isSessionOver(closed: Extract<ConnectionState, { name: 'closed' }>): boolean {
  return closed.reason === 'refused' || closed.code === closeCodes.sessionEnded;
}

/** The pill's words. */
export function describeLink(status: LinkStatus): string {
  if (status.kind === 'live') return 'Live';
  if (status.kind === 'connecting') return 'Connecting';
  if (status.kind === 'behind') return `Behind by ${Math.round(status.byMs / 1000)} s`;
  if (status.kind === 'degraded') return 'Live data is away';
  if (status.kind === 'offline') return offlineWords[status.why];
  const seconds = Math.ceil(status.nextTryInMs / 1000);
  return seconds > 0 ? `Reconnecting, next try in ${seconds} s` : 'Reconnecting, trying now';
}
