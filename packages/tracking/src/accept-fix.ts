import type { Drop, DropReason, Fix } from '@hushryd/contracts/fix';
import { distanceMeters } from './geo/distance.ts';

/** A fix that is kept. `live`: it may move the driver's position; otherwise it becomes history only. */
export type AcceptedFix = Fix & { live: boolean };

/** All times in milliseconds. Defaults and meaning: accept-limits.ts. */
export interface AcceptLimits {
  maxSpeedKmh: number;
  maxAccuracyMeters: number;
  maxFutureMs: number;
  liveMaxAgeMs: number;
  maxFixAgeMs: number;
}

/** What acceptance remembers of one driver's run: one object a run, made by `createAcceptMemory`, updated in place. */
export interface AcceptMemory {
  newestSeq: number;
  tripId: string | undefined;
  /** The last accepted fix of this run and trip. */
  last: Fix | undefined;
  /** When the newest fix that was kept was recorded; 0 before the first. */
  keptAtMs: number;
  /** Fixes that were too fast to believe, as long as they agree with one another. */
  suspects: Fix[];
}

export function createAcceptMemory(): AcceptMemory {
  return { newestSeq: 0, tripId: undefined, last: undefined, keptAtMs: 0, suspects: [] };
}

/** So many fixes in a row that agree with each other outweigh the last accepted one: the phone did move (a tunnel, a ferry, a bad first fix). */
const agreeingFixes = 3;

/** GPS scatters: two fixes this close say nothing about speed. */
const minUncertaintyMeters = 50;

/**
 * Decide what happens to the fixes of one frame: kept live, kept as history only (older than `liveMaxAgeMs`, or not above the
 * newest seq accepted), or dropped with a named reason. Pure but for `memory`, and takes the clock as an argument.
 *
 * Duplicates are not found here: the partition script knows what is durable, a node only what it happened to see.
 *
 * @param fixes in the order sent; values unchecked but for their types
 * @param thinMs keep no two fixes closer than this in time, while history is far behind; 0: keep all
 * @param tripId the trip they count for; a change of trip forgets the last fix, since speed is judged within a run and trip
 * Cost: O(fixes), no allocation beyond the answer. Source: design §4 "Accept".
 */
export function acceptFixes({
  fixes,
  memory,
  tripId,
  thinMs = 0,
  nowMs,
  limits,
}: {
  fixes: readonly Fix[];
  memory: AcceptMemory;
  tripId?: string | undefined;
  thinMs?: number;
  nowMs: number;
  limits: AcceptLimits;
}): { accepted: AcceptedFix[]; drops: Drop[] } {
  if (memory.tripId !== tripId) {
    memory.tripId = tripId;
    memory.last = undefined;
    memory.suspects = [];
  }

  const accepted: AcceptedFix[] = [];
  const drops: Drop[] = [];
  for (const fix of fixes) {
    const reason = reasonToDrop(fix, nowMs, limits) ?? judgeSpeed(fix, memory, limits);
    if (reason !== undefined) {
      drops.push({ seq: fix.seq, reason });
      continue;
    }
    const isNewest = fix.seq > memory.newestSeq;
    if (thinMs > 0 && isNewest && fix.recordedAtMs - memory.keptAtMs < thinMs) {
      drops.push({ seq: fix.seq, reason: 'thinned' });
      memory.newestSeq = fix.seq;
      memory.last = fix;
      continue;
    }
    accepted.push({ ...fix, live: isNewest && nowMs - fix.recordedAtMs <= limits.liveMaxAgeMs });
    if (isNewest) {
      memory.newestSeq = fix.seq;
      memory.last = fix;
      memory.keptAtMs = fix.recordedAtMs;
    }
  }
  return { accepted, drops };
}

function reasonToDrop(fix: Fix, nowMs: number, limits: AcceptLimits): DropReason | undefined {
  if (!isInRange(fix)) return 'out_of_range';
  if (fix.recordedAtMs > nowMs + limits.maxFutureMs) return 'future';
  if (fix.recordedAtMs < nowMs - limits.maxFixAgeMs) return 'too_old';
  if (fix.accuracyMeters !== undefined && fix.accuracyMeters > limits.maxAccuracyMeters) return 'inaccurate';
  return undefined;
}

/** Are its values ones that a phone can have meant? */
export function isInRange(fix: Fix): boolean {
  return (
    fix.lat >= -90 &&
    fix.lat <= 90 &&
    fix.lng >= -180 &&
    fix.lng <= 180 &&
    Number.isInteger(fix.recordedAtMs) &&
    fix.recordedAtMs >= 0 &&
    isWithin(fix.accuracyMeters, Number.MAX_VALUE) &&
    isWithin(fix.speedMps, 600) &&
    isWithin(fix.headingDegrees, 360) &&
    isWithin(fix.batteryPercent, 100)
  );
}

const isWithin = (value: number | undefined, max: number) => value === undefined || (value >= 0 && value <= max);

/** A fix that came late (below the newest seq) is not judged: its neighbours in time are no longer known here. */
function judgeSpeed(fix: Fix, memory: AcceptMemory, limits: AcceptLimits): DropReason | undefined {
  if (memory.last === undefined || fix.seq <= memory.newestSeq || isPlausible(memory.last, fix, limits)) {
    memory.suspects = [];
    return undefined;
  }
  const newestSuspect = memory.suspects.at(-1);
  if (newestSuspect !== undefined && !isPlausible(newestSuspect, fix, limits)) memory.suspects = [];
  memory.suspects.push(fix);
  if (memory.suspects.length < agreeingFixes) return 'impossible_speed';
  memory.suspects = [];
  return undefined;
}

function isPlausible(from: Fix, to: Fix, limits: AcceptLimits): boolean {
  const meters = distanceMeters(from.lat, from.lng, to.lat, to.lng);
  const uncertaintyMeters = Math.max(minUncertaintyMeters, (from.accuracyMeters ?? 0) + (to.accuracyMeters ?? 0));
  if (meters <= uncertaintyMeters) return true;
  const seconds = Math.abs(to.recordedAtMs - from.recordedAtMs) / 1000;
  return (meters - uncertaintyMeters) * 3.6 <= limits.maxSpeedKmh * seconds;
}
