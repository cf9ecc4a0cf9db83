import { bearingDegrees, groundMeters, type WorldPoint } from './mercator.ts';

/**
 * How a vehicle's symbol moves from where it was shown to its newest fix. It ends at the fix and stays there: a vehicle that sends
 * nothing stands still, and nothing is ever drawn ahead of what was measured.
 */
export interface Glide {
  from: WorldPoint;
  to: WorldPoint;
  fromHeadingDegrees: number | undefined;
  toHeadingDegrees: number | undefined;
  startMs: number;
  durationMs: number;
}

export interface Place extends WorldPoint {
  headingDegrees: number | undefined;
}

/** A glide takes a little longer than the interval, so that the next fix arrives while the symbol still moves. */
const overlap = 1.12;
/** A longer silence is shown as a jump: nobody knows what the vehicle did in between. */
const minGapMs = 20_000;
const gapIntervals = 2.5;
/** Whoever reports more seldom than that, and than the others, is not shown as far behind: the symbol arrives early and waits. */
const longGlideMs = 10_000;
/** Farther apart than that is another place, not a drive. */
const maxStepMeters = 1_500;
/** Below this a movement says nothing about where the vehicle heads: GPS wanders as much while it stands. */
const minBearingMeters = 6;
/** A vehicle has turned before half of the way. */
const turnShare = 0.45;

export function placeAt(glide: Glide, nowMs: number): Place {
  const progress = progressAt(glide, nowMs);
  return {
    x: glide.from.x + (glide.to.x - glide.from.x) * progress,
    y: glide.from.y + (glide.to.y - glide.from.y) * progress,
    headingDegrees: turn(glide.fromHeadingDegrees, glide.toHeadingDegrees, Math.min(1, progress / turnShare)),
  };
}

export const isMoving = (glide: Glide, nowMs: number): boolean => nowMs < glide.startMs + glide.durationMs;

/** A glide that is already over: the vehicle stands at a point. */
export function standAt(to: WorldPoint, headingDegrees: number | undefined, nowMs: number): Glide {
  return {
    from: to,
    to,
    fromHeadingDegrees: headingDegrees,
    toHeadingDegrees: headingDegrees,
    startMs: nowMs,
    durationMs: 0,
  };
}

/**
 * The glide to a newer fix, from wherever the symbol stands at this moment.
 *
 * @param input.gapMs time between the two fixes by the phone's clock
 * @param input.intervalMs how often vehicles are expected to report
 */
export function glideTo(input: {
  current: Glide;
  to: WorldPoint;
  headingDegrees: number | undefined;
  gapMs: number;
  intervalMs: number;
  nowMs: number;
  isMotionReduced: boolean;
}): Glide {
  const { current, to, nowMs, gapMs, intervalMs } = input;
  const place = placeAt(current, nowMs);
  const heading = input.headingDegrees ?? headingFrom(current, to) ?? place.headingDegrees;
  const isGap = gapMs > Math.max(minGapMs, intervalMs * gapIntervals);
  const isJump = input.isMotionReduced || isGap || groundMeters(place, to) > maxStepMeters;
  if (isJump) return standAt(to, heading, nowMs);
  return {
    from: { x: place.x, y: place.y },
    to,
    fromHeadingDegrees: place.headingDegrees ?? heading,
    toHeadingDegrees: heading,
    startMs: nowMs,
    durationMs: Math.min(Math.max(longGlideMs, intervalMs * overlap), Math.max(gapMs, intervalMs) * overlap),
  };
}

function headingFrom(current: Glide, to: WorldPoint): number | undefined {
  return groundMeters(current.to, to) < minBearingMeters ? undefined : bearingDegrees(current.to, to);
}

function progressAt(glide: Glide, nowMs: number): number {
  if (glide.durationMs <= 0) return 1;
  return Math.max(0, Math.min(1, (nowMs - glide.startMs) / glide.durationMs));
}

/** The shorter way round. */
function turn(from: number | undefined, to: number | undefined, share: number): number | undefined {
  if (from === undefined || to === undefined) return to ?? from;
  const difference = ((to - from + 540) % 360) - 180;
  return (from + difference * share + 360) % 360;
}
