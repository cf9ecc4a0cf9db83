import type { Position } from '@hushryd/contracts/fix';
import type { Location, LocationReply } from '@hushryd/contracts/http/trips';
import Type from 'typebox';

/** A 304 has no body. */
export const NotModifiedSchema = Type.Unsafe<undefined>({ type: 'null', description: 'Nothing has changed' });

/** A live position as HTTP bodies carry it. */
export function toLocation(position: Position, nowMs: number): Location {
  const { recordedAtMs, ...rest } = position;
  return {
    ...rest,
    recordedAt: new Date(recordedAtMs).toISOString(),
    ageSeconds: Math.max(0, Math.round((nowMs - recordedAtMs) / 100) / 10),
  };
}

export function toLocationReply(position: Position | null, nowMs: number): LocationReply {
  return {
    asOf: new Date(nowMs).toISOString(),
    location: position === null ? null : toLocation(position, nowMs),
  };
}

/**
 * Names a position: it changes when the driver moves, or does something else (a state change keeps run and seq). Weak, since the age
 * in the body goes on counting.
 */
export function etagOf(position: Position | null): string {
  return position === null ? 'W/"none"' : `W/"${position.run}-${position.seq}-${position.state}"`;
}

/** `If-None-Match` (RFC 9110 §13.1.2): one of the listed tags is the current one, compared weakly. */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch === etag || ifNoneMatch === '*') return true;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  const current = opaque(etag);
  return ifNoneMatch.split(',').some((tag) => opaque(tag) === current);
}
