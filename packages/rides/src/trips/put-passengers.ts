import { AppError } from '@hushryd/platform/errors/app-error';
import { changeTrip, type TripWork } from './change-trip.ts';
import type { TripDocument } from './trip-document.ts';

/**
 * Set the whole list of passengers, until the trip has ended. Who is not on it any more stops seeing the trip within seconds.
 *
 * @throws AppError `not_found`, `trip_state_conflict` (it has ended), `database_unavailable`
 */
export function putPassengers(
  work: TripWork,
  {
    tripId,
    passengerIds,
    authorise,
  }: { tripId: string; passengerIds: readonly string[]; authorise: (trip: TripDocument) => void },
): Promise<TripDocument> {
  return changeTrip(work, {
    tripId,
    authorise,
    decide(trip) {
      if (trip.state === 'ended') throw new AppError('trip_state_conflict', { detail: 'the trip has ended' });
      if (isSameList(trip.passengerIds, passengerIds)) return undefined;
      return { passengerIds: [...passengerIds], changedBy: 'trip.passengers_changed' };
    },
  });
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index]);
}
