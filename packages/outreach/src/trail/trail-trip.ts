import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { AlertDocument } from '../alerts/alert-document.ts';

/** Of an alert: who raised it, and on which trip by that phone's word. */
export type AlertOnTrip = { person: Pick<AlertDocument['person'], 'userId'>; trigger: { tripId?: string } };

/** A trip whose driver's fixes are part of an alert's trail. */
export interface TrailTrip {
  tripId: string;
  driverId: string;
}

/**
 * The trip of an alert, if the person who raised it is of that trip. A phone may name any trip; nobody gets to see where a driver is by
 * naming his. Pure.
 *
 * @param access the record of the trip that the alert names; null where there is none
 */
export function toTrailTrip(alert: AlertOnTrip, access: TripAccess | null): TrailTrip | undefined {
  const { userId } = alert.person;
  if (access === null || access.tripId !== alert.trigger.tripId) return undefined;
  if (access.driverId !== userId && !access.passengerIds.includes(userId)) return undefined;
  return { tripId: access.tripId, driverId: access.driverId };
}
