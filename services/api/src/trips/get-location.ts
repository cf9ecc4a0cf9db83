import type { Position } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { mayReadTrip, mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';
import { etagOf, isKnown } from '../location-reply.ts';
import { withinDeadline } from '../within-deadline.ts';
import type { PositionWaiters } from './position-waiters.ts';

export interface LocationQuestion {
  identity: Identity;
  tripId: string;
  ifNoneMatch: string | undefined;
  /** How long to wait for news where the caller knows the current position; 0 asks for an answer at once. */
  waitMs: number;
  /** Aborted when the caller has gone; asked for only by those who wait. */
  signal: () => AbortSignal;
}

export interface LocationAnswer {
  /** Null while the trip has not started, has ended, or nothing newer than five minutes is known. */
  position: Position | null;
  etag: string;
  isUnchanged: boolean;
}

/**
 * Where a trip is.
 *
 * The position is read from Redis and not from this node's memory of the feed: what was acknowledged with `recv` is then readable
 * here, whichever node took it. Who may ask is decided anew after each wait.
 *
 * @throws AppError `not_found` (also for somebody else's trip), `access_unavailable`, `redis_unavailable` within 600 ms
 * Cost: one HGET, gathered with others of the same tick; the access record is in memory but for the first time.
 */
export function createGetLocation({
  access,
  positions,
  waiters,
  now = Date.now,
}: {
  access: AccessCache;
  positions: PositionReader;
  waiters: PositionWaiters;
  now?: () => number;
}): (question: LocationQuestion) => Promise<LocationAnswer> {
  async function look(identity: Identity, tripId: string): Promise<{ trip: TripAccess; position: Position | null }> {
    const known = access.peek(tripId);
    if (known !== undefined) return { trip: known, position: await readFor(identity, known) };
    return withinDeadline(
      access.load(tripId).then(async (trip) => {
        if (trip === null) throw new AppError('not_found');
        return { trip, position: await readFor(identity, trip) };
      }),
    );
  }

  async function readFor(identity: Identity, trip: TripAccess): Promise<Position | null> {
    if (!mayReadTrip(identity, trip)) throw new AppError('not_found');
    if (trip.state !== 'active' || !mayWatchTrip(identity, trip)) return null;
    const position = await positions.read(trip.driverId);
    // A driver who has left this trip, or not come to it yet, is nobody's business here.
    return position?.tripId === trip.tripId ? position : null;
  }

  return async ({ identity, tripId, ifNoneMatch, waitMs, signal }) => {
    const answer = (position: Position | null): LocationAnswer => {
      const etag = etagOf(position);
      return { position, etag, isUnchanged: isKnown(ifNoneMatch, etag) };
    };
    const first = await look(identity, tripId);
    const untilMs = now() + waitMs;
    let newest = answer(first.position);
    while (newest.isUnchanged && now() < untilMs) {
      const waiter = waiters.create(first.trip.driverId);
      if (waiter === undefined) break;
      const gone = signal();
      gone.addEventListener('abort', waiter.cancel, { once: true });
      try {
        // Between the look before and this waiter something may have happened.
        newest = answer((await look(identity, tripId)).position);
        if (!newest.isUnchanged || gone.aborted) break;
        const outcome = await waiter.wait(untilMs - now());
        if (outcome === 'ended') break;
        newest = answer((await look(identity, tripId)).position);
      } finally {
        gone.removeEventListener('abort', waiter.cancel);
        waiter.cancel();
      }
    }
    return newest;
  };
}
