import type { AlertSummary } from '@hushryd/contracts/http/sos';
import type { Trip } from '@hushryd/contracts/trip';

/** Who presses, and on which trip. */
export interface ChosenRider {
  readonly userId: string;
  readonly trip: Trip;
}

/**
 * Riders of running trips who have no alert yet, those with the longest way still to go first: the trips that began last. Pure.
 *
 * @param trips newest first
 */
export function chooseRiders(
  trips: readonly Trip[],
  openAlerts: readonly Pick<AlertSummary, 'userId'>[],
): ChosenRider[] {
  const alerting = new Set(openAlerts.map(({ userId }) => userId));
  return trips.flatMap((trip) => {
    const userId = trip.passengerIds.find((passengerId) => !alerting.has(passengerId));
    return trip.state === 'active' && userId !== undefined ? [{ userId, trip }] : [];
  });
}
