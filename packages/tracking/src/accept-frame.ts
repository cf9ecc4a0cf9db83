import type { Drop, Fix } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { type AcceptedFix, type AcceptLimits, type AcceptMemory, acceptFixes } from './accept-fix.ts';
import type { FixGroup } from './positions/write-batch.ts';
import { splitByTrip } from './trip-access/split-by-trip.ts';

/**
 * What becomes of one `loc` frame, over whichever transport it came: its fixes as groups for the batcher, one for each stretch that
 * counts for the same trip (as a rule one in all), and what was dropped with a reason. Every fix is in a group or among the drops,
 * and its seq in the group either way, so that no group leaves a hole in the run.
 *
 * Pure but for `memory`, see acceptFixes.
 *
 * @param fixes rising by seq
 * @param access of the trip that the frame names; undefined or null where it names none, or one that does not exist
 */
export function acceptFrame({
  driverId,
  run,
  from,
  fixes,
  access,
  memory,
  thinMs = 0,
  nowMs,
  limits,
}: {
  driverId: string;
  run: number;
  from: number;
  fixes: readonly Fix[];
  access: TripAccess | null | undefined;
  memory: AcceptMemory;
  /** See acceptFixes. */
  thinMs?: number;
  nowMs: number;
  limits: AcceptLimits;
}): { groups: FixGroup[]; accepted: AcceptedFix[]; drops: Drop[] } {
  const groups: FixGroup[] = [];
  const accepted: AcceptedFix[] = [];
  const drops: Drop[] = [];
  for (const part of splitByTrip({ fixes, driverId, access })) {
    const judged = acceptFixes({ fixes: part.fixes, memory, tripId: part.tripId, thinMs, nowMs, limits });
    accepted.push(...judged.accepted);
    drops.push(...judged.drops);
    groups.push({
      driverId,
      tripId: part.tripId,
      ...(part.tripId !== undefined && access?.state === 'ended' && { isTripOver: true }),
      run,
      from,
      fixes: judged.accepted,
      drops: judged.drops.map(({ seq }) => seq),
      receivedAtMs: nowMs,
    });
  }
  return { groups, accepted, drops };
}
