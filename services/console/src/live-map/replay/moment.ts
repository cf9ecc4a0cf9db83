import type { TrackPoint, TrackShape } from '../track/track-shape.ts';
import { bearingDegrees, groundMeters } from '../vehicles/mercator.ts';

/** Where a vehicle was at one moment of its track. */
export interface Moment {
  /** The fix in force: the newest at or before the moment. */
  index: number;
  point: TrackPoint;
  x: number;
  y: number;
  headingDegrees: number | undefined;
  /** In a gap the symbol stands at the last known fix. */
  isInGap: boolean;
}

const minBearingMeters = 6;

/** Undefined for a track without fixes; before the first fix it is the first, after the last the last. Cost: logarithmic. */
export function momentAt(shape: TrackShape, atMs: number, options: { isStepwise?: boolean } = {}): Moment | undefined {
  const index = indexAt(shape.points, atMs);
  const point = shape.points[index];
  if (point === undefined) return undefined;
  const next = shape.points[index + 1];
  const isInGap = shape.gaps.some((gap) => gap.from === index) && atMs > point.atMs;
  if (next === undefined || isInGap || options.isStepwise || atMs <= point.atMs) {
    return { index, point, x: point.x, y: point.y, headingDegrees: headingAt(shape.points, index), isInGap };
  }
  const share = (atMs - point.atMs) / (next.atMs - point.atMs);
  return {
    index,
    point,
    x: point.x + (next.x - point.x) * share,
    y: point.y + (next.y - point.y) * share,
    headingDegrees:
      groundMeters(point, next) < minBearingMeters ? headingAt(shape.points, index) : bearingDegrees(point, next),
    isInGap: false,
  };
}

/** Index of the newest point at or before a moment; 0 before the first. */
export function indexAt(points: readonly TrackPoint[], atMs: number): number {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((points[middle] as TrackPoint).atMs <= atMs) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** As the phone said, else from the last step that was long enough to tell. */
function headingAt(points: readonly TrackPoint[], index: number): number | undefined {
  const said = points[index]?.fix.headingDegrees;
  if (said !== undefined) return said;
  for (let end = index; end > 0 && end > index - 5; end -= 1) {
    const from = points[end - 1] as TrackPoint;
    const to = points[end] as TrackPoint;
    if (groundMeters(from, to) >= minBearingMeters) return bearingDegrees(from, to);
  }
  return undefined;
}
