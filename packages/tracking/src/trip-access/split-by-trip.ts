import type { Fix } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { fixCountsForTrip } from './access-rules.ts';

/** Fixes that go the same way, in the order sent. `tripId` is there where they count for that trip. */
export interface FixPart {
  tripId?: string;
  fixes: Fix[];
}

/**
 * Part the fixes of one frame into those that count for the trip it names and those that count for the driver alone: recorded before
 * its start or after its end, or the trip is another driver's, or none.
 *
 * Pure. A new part begins where the answer changes, so the order stays; as a rule there is one part.
 *
 * @param access record of the trip that the frame names; undefined or null where it names none, or one that does not exist
 */
export function splitByTrip({
  fixes,
  driverId,
  access,
}: {
  fixes: readonly Fix[];
  driverId: string;
  access: TripAccess | null | undefined;
}): FixPart[] {
  const parts: FixPart[] = [];
  for (const fix of fixes) {
    const counts = access ? fixCountsForTrip({ access, driverId, recordedAtMs: fix.recordedAtMs }) : false;
    const tripId = counts ? access?.tripId : undefined;
    const last = parts.at(-1);
    if (last !== undefined && last.tripId === tripId) last.fixes.push(fix);
    else parts.push({ ...(tripId !== undefined && { tripId }), fixes: [fix] });
  }
  return parts;
}
