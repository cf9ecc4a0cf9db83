import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { Identity } from '@hushryd/platform/auth/claims';

/** Phones and servers disagree a little about when a trip started and ended. */
const clockToleranceMs = 30_000;

export const isStaff = (identity: Identity): boolean => identity.role === 'operator';

/** The trip's driver, its passengers and operators; riders and drivers only until it has ended. */
export function mayWatchTrip(identity: Identity, access: TripAccess): boolean {
  if (isStaff(identity)) return true;
  return access.state !== 'ended' && isOfTrip(identity, access);
}

/** Its own people may read a trip also after it ended; live positions are another matter, see `mayWatchTrip`. */
export function mayReadTrip(identity: Identity, access: TripAccess): boolean {
  return isStaff(identity) || isOfTrip(identity, access);
}

function isOfTrip(identity: Identity, access: TripAccess): boolean {
  if (identity.role === 'driver') return access.driverId === identity.userId;
  return identity.role === 'rider' && access.passengerIds.includes(identity.userId);
}

/** That driver and staff. */
export function mayWatchDriver(identity: Identity, driverId: string): boolean {
  return isStaff(identity) || (identity.role === 'driver' && identity.userId === driverId);
}

/** Of a trip that has ended as well. */
export const hasStarted = (access: TripAccess | undefined): boolean => access?.startedAtMs !== undefined;

/** A fix counts for a trip that this driver drives, recorded while it ran; otherwise it counts for the driver alone. */
export function fixCountsForTrip({
  access,
  driverId,
  recordedAtMs,
}: {
  access: TripAccess;
  driverId: string;
  recordedAtMs: number;
}): boolean {
  if (access.driverId !== driverId || access.startedAtMs === undefined) return false;
  if (recordedAtMs < access.startedAtMs - clockToleranceMs) return false;
  return access.endedAtMs === undefined || recordedAtMs <= access.endedAtMs + clockToleranceMs;
}
