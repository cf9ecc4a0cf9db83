import { AppError } from '@hushryd/platform/errors/app-error';
import { changeTrip, type TripWork } from './change-trip.ts';
import type { TripDocument } from './trip-document.ts';

/**
 * End an active trip. Ending an ended one again changes nothing.
 *
 * @throws AppError `not_found`, `trip_state_conflict` (it has not started), `database_unavailable`
 */
export function endTrip(
  work: TripWork,
  { tripId, authorise }: { tripId: string; authorise: (trip: TripDocument) => void },
): Promise<TripDocument> {
  return changeTrip(work, {
    tripId,
    authorise,
    decide(trip, now) {
      if (trip.state === 'ended') return undefined;
      if (trip.state === 'planned') throw new AppError('trip_state_conflict', { detail: 'the trip has not started' });
      return { state: 'ended', endedAt: now, changedBy: 'trip.ended' };
    },
  });
}
