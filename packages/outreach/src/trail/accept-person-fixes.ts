import type { Drop, Fix } from '@hushryd/contracts/fix';
import { SeqSchema } from '@hushryd/contracts/ids';
import { type AcceptLimits, isInRange } from '@hushryd/tracking/accept-fix';
import { Check } from 'typebox/value';

/** A fix that is kept. `phoneTimeMs`: what the phone said, where `recordedAtMs` is not that. */
export type PersonFix = Fix & { phoneTimeMs?: number };

const required = ['seq', 'recordedAtMs', 'lat', 'lng'] as const;
const optional = ['accuracyMeters', 'speedMps', 'headingDegrees', 'batteryPercent'] as const;

/** What of a fix may be taken otherwise than it came, as it is counted. `fix`: all of one without a number; `other`: what we do not know. */
export const personFixParts = ['fix', 'recordedAtMs', ...optional, 'other'] as const;
export type PersonFixPart = (typeof personFixParts)[number];

/**
 * Which fixes of a person in danger are kept. Far more than of a driver: a place that is two kilometres wide, or too far from the one
 * before it, is still all that there is to go by. So is one whose speed or battery cannot be (phones say -1 for what they do not
 * know): it is kept without. No place on earth, no time and too old remain; what has no number cannot be answered, and is passed over.
 *
 * A time that is ahead of ours becomes the time of receipt, or just before it, so that those who follow a phone with a wrong clock see
 * where it is, in the order of its numbers and no two at the same moment. Every time ahead, and not only one that is far ahead: of two
 * batches that come in their order the earlier is then never the later on the trail, however late they come. (An older batch that is
 * brought after a newer one, by a phone that is further ahead than that batch is old, does come after it.)
 *
 * Pure. Never throws, whatever JSON is given.
 *
 * @param fixes unchecked
 * @param nowMs time of receipt
 * @returns `accepted` by rising seq; `changed` names a part once for each fix that was taken without it, or with another time
 */
export function acceptPersonFixes({
  fixes,
  limits: { maxFixAgeMs },
  nowMs,
}: {
  fixes: readonly unknown[];
  limits: Pick<AcceptLimits, 'maxFixAgeMs'>;
  nowMs: number;
}): { accepted: PersonFix[]; drops: Drop[]; changed: PersonFixPart[] } {
  const kept: Fix[] = [];
  const drops: Drop[] = [];
  const changed: PersonFixPart[] = [];
  for (const given of fixes) {
    const seq = isRecord(given) ? given.seq : undefined;
    if (!isRecord(given) || !Check(SeqSchema, seq)) {
      changed.push('fix');
      continue;
    }
    const fix = readFix(seq, given, changed);
    if (fix === undefined) drops.push({ seq, reason: 'out_of_range' });
    else if (fix.recordedAtMs < nowMs - maxFixAgeMs) drops.push({ seq, reason: 'too_old' });
    else kept.push(fix);
  }
  const accepted = withTimesAt(nowMs, kept);
  for (const { phoneTimeMs } of accepted) if (phoneTimeMs !== undefined) changed.push('recordedAtMs');
  return { accepted, drops, changed };
}

/** What of it can be used; undefined without a place and a time. */
function readFix(seq: number, given: Record<string, unknown>, changed: PersonFixPart[]): Fix | undefined {
  const { recordedAtMs, lat, lng } = given;
  if (typeof recordedAtMs !== 'number' || typeof lat !== 'number' || typeof lng !== 'number') return undefined;
  // Some location services say parts of a millisecond.
  const fix: Fix = { seq, recordedAtMs: Math.round(recordedAtMs), lat, lng };
  if (!isInRange(fix)) return undefined;
  for (const name of optional) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value === 'number' && isInRange({ ...fix, [name]: value })) fix[name] = value;
    else changed.push(name);
  }
  if (Object.keys(given).some((name) => !known.has(name))) changed.push('other');
  return fix;
}

const known = new Set<string>([...required, ...optional]);

const isRecord = (given: unknown): given is Record<string, unknown> => typeof given === 'object' && given !== null;

function withTimesAt(nowMs: number, fixes: readonly Fix[]): PersonFix[] {
  const bySeq = fixes.toSorted((a, b) => a.seq - b.seq);
  let beforeMs = nowMs + 1;
  return bySeq
    .toReversed()
    .map((fix): PersonFix => {
      if (fix.recordedAtMs < beforeMs) return fix;
      beforeMs -= 1;
      return { ...fix, recordedAtMs: beforeMs, phoneTimeMs: fix.recordedAtMs };
    })
    .toReversed();
}
