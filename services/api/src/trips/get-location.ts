import type { Position } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import type { Revocations } from '@hushryd/tracking/revocations/revocations';
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
 * here, whichever node took it. Who may ask is decided anew after each wait, and whether they are still signed in.
 *
 * @throws AppError `not_found` (also for somebody else's trip), `token_revoked` (while waiting), `access_unavailable`,
 *   `redis_unavailable` within 600 ms
 * Cost: one HGET, gathered with others of the same tick; the access record is in memory but for the first time.
 */
export function createGetLocation({
  access,
  positions,
  revocations,
  waiters,
  now = Date.now,
}: {
  access: AccessCache;
  positions: PositionReader;
  revocations: Pick<Revocations, 'assertValid'>;
  waiters: PositionWaiters;
  now?: () => number;
}): (question: LocationQuestion) => Promise<LocationAnswer> {
  function look({ identity, tripId }: LocationQuestion): Promise<Look> {
    const trip = access.peek(tripId);
    // The way nearly every request takes: one promise after another costs, so there is only the reader's and this one.
    if (trip !== undefined) return readFor(identity, trip);
    return withinDeadline(access.load(tripId).then((loaded) => readFor(identity, loaded)));
  }

  function readFor(identity: Identity, trip: TripAccess | null): Promise<Look> {
    if (trip === null || !mayReadTrip(identity, trip)) return Promise.reject(new AppError('not_found'));
    const { tripId, driverId } = trip;
    if (trip.state !== 'active' || !mayWatchTrip(identity, trip)) return Promise.resolve({ driverId, position: null });
    return positions.read(driverId).then((position) => ({
      driverId,
      // A driver who has left this trip, or not come to it yet, is nobody's business here.
      position: position?.tripId === tripId ? position : null,
    }));
  }

  return (question) => {
    const first = look(question);
    if (question.waitMs === 0) return first.then((found) => toAnswer(question, found));
    return first.then((found) => waitForNews(question, found));
  };

  function lookAgain(question: LocationQuestion): Promise<Look> {
    revocations.assertValid(question.identity);
    return look(question);
  }

  async function waitForNews(question: LocationQuestion, first: Look): Promise<LocationAnswer> {
    const untilMs = now() + question.waitMs;
    const gone = question.signal();
    let newest = toAnswer(question, first);
    while (newest.isUnchanged && now() < untilMs && !gone.aborted) {
      const waiter = waiters.create(first.driverId);
      if (waiter === undefined) break;
      gone.addEventListener('abort', waiter.cancel, { once: true });
      try {
        // Between the look before and this waiter something may have happened.
        newest = toAnswer(question, await lookAgain(question));
        if (!newest.isUnchanged) break;
        if ((await waiter.wait(untilMs - now())) === 'ended') break;
        newest = toAnswer(question, await lookAgain(question));
      } finally {
        gone.removeEventListener('abort', waiter.cancel);
        waiter.cancel();
      }
    }
    return newest;
  }
}

interface Look {
  driverId: string;
  position: Position | null;
}

function toAnswer({ ifNoneMatch }: LocationQuestion, { position }: Look): LocationAnswer {
  const etag = etagOf(position);
  return { position, etag, isUnchanged: isKnown(ifNoneMatch, etag) };
}
