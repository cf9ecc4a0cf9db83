import { AppError } from '@hushryd/platform/errors/app-error';
import { mongoOutcome } from '@hushryd/platform/mongo/deadline';
import type { AnnounceTrip } from './announce-trip.ts';
import type { TripDocument } from './trip-document.ts';
import type { TripStore } from './trip-store.ts';

/** What the functions of this folder work with. */
export interface TripWork {
  store: TripStore;
  announce: AnnounceTrip;
  now?: () => number;
}

/**
 * What a command makes of a trip: the fields to change, or undefined where the trip already is as asked (a retry).
 * @throws AppError where the trip does not allow it
 */
export type TripDecision = (
  trip: TripDocument,
  now: Date,
) =>
  | (Partial<Pick<TripDocument, 'state' | 'startedAt' | 'endedAt' | 'passengerIds'>> & Pick<TripDocument, 'changedBy'>)
  | undefined;

const maxAttempts = 5;

/**
 * Change a trip: read it, decide, write the next version on condition that nobody was faster, else decide anew. Then announce it.
 *
 * A write without an answer has an unknown outcome; the next round reads the trip by id and sees whether it was applied. Should it be
 * applied after that, its condition no longer holds. A retried command finds the trip as asked and announces it again, which heals an
 * announcement that failed the first time.
 *
 * @param authorise throws where the caller may not change this trip; asked for each version that is read
 * @throws AppError `not_found`, whatever `authorise` and `decide` throw, `driver_busy`, `database_unavailable`
 * Cost: one read and one majority write, two script calls.
 */
export async function changeTrip(
  { store, announce, now = Date.now }: TripWork,
  { tripId, authorise, decide }: { tripId: string; authorise: (trip: TripDocument) => void; decide: TripDecision },
): Promise<TripDocument> {
  let wasUnanswered = false;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const trip = await store.findById(tripId);
    if (trip === null) throw new AppError('not_found');
    authorise(trip);

    const changedAt = new Date(now());
    const changes = decide(trip, changedAt);
    if (changes === undefined) {
      await announce(trip);
      return trip;
    }

    const next: TripDocument = { ...trip, ...changes, version: trip.version + 1, changedAt };
    const outcome = await store.replace(trip, next).catch((error: unknown) => {
      if (wasUnanswered || !isUnanswered(error)) throw error;
      wasUnanswered = true;
      return 'unknown' as const;
    });
    if (outcome === 'driver_busy') throw new AppError('driver_busy');
    if (outcome === 'replaced') {
      await announce(next);
      return next;
    }
  }
  throw new AppError('database_unavailable', { detail: 'the trip changed faster than it could be written' });
}

/** The write may have been applied, or may still be. */
export function isUnanswered(error: unknown): boolean {
  return mongoOutcome(error) === 'unknown';
}
