import type { Drop, DropReason, Fix } from '@hushryd/contracts/fix';
import { type AcceptLimits, isInRange } from '@hushryd/tracking/accept-fix';

/**
 * Which fixes of a person in danger are kept. Far more than of a driver: a place that is two kilometres wide, or too far from the one
 * before it, is still all that there is to go by. Out of range, from the future and too old remain. Pure.
 *
 * @param fixes values unchecked but for their types
 */
export function acceptPersonFixes({
  fixes,
  limits: { maxFutureMs, maxFixAgeMs },
  nowMs,
}: {
  fixes: readonly Fix[];
  limits: Pick<AcceptLimits, 'maxFutureMs' | 'maxFixAgeMs'>;
  nowMs: number;
}): { accepted: Fix[]; drops: Drop[] } {
  const accepted: Fix[] = [];
  const drops: Drop[] = [];
  for (const fix of fixes) {
    const reason = reasonToDrop(fix);
    if (reason === undefined) accepted.push(fix);
    else drops.push({ seq: fix.seq, reason });
  }
  return { accepted, drops };

  function reasonToDrop(fix: Fix): DropReason | undefined {
    if (!isInRange(fix)) return 'out_of_range';
    if (fix.recordedAtMs > nowMs + maxFutureMs) return 'future';
    return fix.recordedAtMs < nowMs - maxFixAgeMs ? 'too_old' : undefined;
  }
}
