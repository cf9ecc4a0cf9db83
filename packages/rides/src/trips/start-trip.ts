import { AppError } from '@hushryd/platform/errors/app-error';
import { changeTrip, type TripWork } from './change-trip.ts';
import type { TripDocument } from './trip-document.ts';

/**
 * Start a planned trip. Starting an active one again changes nothing.
 *
 * @throws AppError `not_found`, `trip_state_conflict` (it has ended), `driver_busy` (the driver has another active trip),
 *   `database_unavailable`
 */
export function startTrip(
  work: TripWork,
  { tripId, authorise }: { tripId: string; authorise: (trip: TripDocument) => void },
): Promise<TripDocument> {
  return changeTrip(work, {
    tripId,
    authorise,
    decide(trip, now) {
      if (trip.state === 'active') return undefined;
      if (trip.state === 'ended') throw new AppError('trip_state_conflict', { detail: 'the trip has ended' });
      return { state: 'active', startedAt: now, changedBy: 'trip.started' };
    },
  });
}
