import type { Trip } from '@hushryd/contracts/trip';
import type { Identity } from '@hushryd/platform/auth/claims';

/** Operators create trips for anyone, a driver for himself. */
export function mayCreateTrip(identity: Identity, driverId: string): boolean {
  return identity.role === 'operator' || isDriver(identity, driverId);
}

/** Start, end and passengers: the trip's driver and operators. Who may read a trip: tracking/trip-access/access-rules. */
export function mayChangeTrip(identity: Identity, trip: Pick<Trip, 'driverId'>): boolean {
  return identity.role === 'operator' || isDriver(identity, trip.driverId);
}

/**
 * The trip without what this identity may not know: passengers see themselves, not one another, and a driver sees his passengers only
 * until the trip has ended.
 */
export function showTrip(identity: Identity, trip: Trip): Trip {
  if (identity.role === 'operator') return trip;
  if (identity.role === 'rider') {
    return { ...trip, passengerIds: trip.passengerIds.filter((passengerId) => passengerId === identity.userId) };
  }
  return trip.state === 'ended' ? { ...trip, passengerIds: [] } : trip;
}

function isDriver(identity: Identity, driverId: string): boolean {
  return identity.role === 'driver' && identity.userId === driverId;
}
