import type { Drop } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { LocFrame } from '@hushryd/contracts/realtime/client-frames';
import type { AcceptedFix } from '@hushryd/tracking/accept-fix';
import type { FixGroup } from '@hushryd/tracking/positions/write-batch';
import { fixCountsForTrip } from '@hushryd/tracking/trip-access/access-rules';

/**
 * The accepted fixes of a frame as groups of one trip each, in order: those from before its start or after its end count for the
 * driver alone. Usually that is one group. Drops go with the fixes they stood among, so that each group is a piece of the run
 * without holes.
 *
 * @param access of the trip that the frame names, where it is this driver's
 */
export function groupByTrip({
  frame,
  driverId,
  accepted,
  drops,
  access,
  receivedAtMs,
}: {
  frame: LocFrame;
  driverId: string;
  accepted: readonly AcceptedFix[];
  drops: readonly Drop[];
  access: TripAccess | undefined;
  receivedAtMs: number;
}): FixGroup[] {
  const createGroup = (tripId: string | undefined) => ({
    driverId,
    tripId,
    run: frame.run,
    from: frame.from,
    fixes: [] as AcceptedFix[],
    drops: [] as number[],
    receivedAtMs,
  });
  const tripOf = ({ recordedAtMs }: AcceptedFix): string | undefined =>
    access !== undefined && fixCountsForTrip({ access, driverId, recordedAtMs }) ? access.tripId : undefined;

  const [first] = accepted;
  let group = createGroup(first && tripOf(first));
  const groups = [group];
  let nextDrop = 0;
  const takeDropsBelow = (seq: number) => {
    for (let drop = drops[nextDrop]; drop !== undefined && drop.seq < seq; drop = drops[nextDrop]) {
      group.drops.push(drop.seq);
      nextDrop += 1;
    }
  };

  for (const fix of accepted) {
    takeDropsBelow(fix.seq);
    const tripId = tripOf(fix);
    if (tripId !== group.tripId) {
      group = createGroup(tripId);
      groups.push(group);
    }
    group.fixes.push(fix);
  }
  takeDropsBelow(Number.POSITIVE_INFINITY);
  return groups;
}
