import type { TrackFix } from '@hushryd/contracts/http/trips';
import { groundMeters, toWorld, type WorldPoint } from '../vehicles/mercator.ts';

/** A fix of a track, ready to draw: world coordinates and epoch milliseconds. */
export interface TrackPoint extends WorldPoint {
  fix: TrackFix;
  atMs: number;
  /** As the phone said, else from the step that led here; undefined for a first fix without one. */
  speedMps: number | undefined;
}

/** Fixes `from` to `to` (indexes, both included) driven in one class of speed. */
export interface SpeedStretch {
  from: number;
  to: number;
  /** Index into `speedClassesKmh`. */
  speedClass: number;
}

/** Nobody knows how the vehicle came from one fix to the next. */
export interface TrackGap {
  from: number;
  to: number;
  durationMs: number;
}

export interface TrackShape {
  points: TrackPoint[];
  stretches: SpeedStretch[];
  gaps: TrackGap[];
  /** Along the fixes, gaps left out. */
  distanceMeters: number;
  durationMs: number;
}

/** Lower edges in km/h. Few classes: a track is read at a glance, and its legend too. */
export const speedClassesKmh = [0, 10, 25, 40, 60, 90] as const;

/** A silence is a gap when it is three times the usual interval, and at least this long. */
const minGapMs = 20_000;
const gapFactor = 3;

/** Take a track apart for drawing. `fixes` are in order of time, each once. Cost: linear. */
export function shapeTrack(fixes: readonly TrackFix[]): TrackShape {
  const points = toPoints(fixes);
  const gapMs = Math.max(minGapMs, usualIntervalMs(points) * gapFactor);
  const stretches: SpeedStretch[] = [];
  const gaps: TrackGap[] = [];
  let distanceMeters = 0;

  for (let to = 1; to < points.length; to += 1) {
    const from = to - 1;
    const start = points[from] as TrackPoint;
    const end = points[to] as TrackPoint;
    const durationMs = end.atMs - start.atMs;
    if (durationMs > gapMs) {
      gaps.push({ from, to, durationMs });
      continue;
    }
    distanceMeters += groundMeters(start, end);
    const speedClass = speedClassOf(end.speedMps ?? 0);
    const last = stretches.at(-1);
    if (last !== undefined && last.to === from && last.speedClass === speedClass) last.to = to;
    else stretches.push({ from, to, speedClass });
  }
  const first = points[0];
  const last = points.at(-1);
  return { points, stretches, gaps, distanceMeters, durationMs: first && last ? last.atMs - first.atMs : 0 };
}

export function speedClassOf(speedMps: number): number {
  const speedKmh = speedMps * 3.6;
  return Math.max(
    0,
    speedClassesKmh.findLastIndex((edge) => speedKmh >= edge),
  );
}

function toPoints(fixes: readonly TrackFix[]): TrackPoint[] {
  const points: TrackPoint[] = [];
  for (const fix of fixes) {
    const point: TrackPoint = {
      ...toWorld(fix.lat, fix.lng),
      fix,
      atMs: Date.parse(fix.recordedAt),
      speedMps: fix.speedMps,
    };
    const before = points.at(-1);
    if (point.speedMps === undefined && before !== undefined) {
      const seconds = (point.atMs - before.atMs) / 1000;
      point.speedMps = seconds > 0 ? groundMeters(before, point) / seconds : before.speedMps;
    }
    points.push(point);
  }
  return points;
}

function usualIntervalMs(points: readonly TrackPoint[]): number {
  const intervals = points.slice(1).map((point, index) => point.atMs - (points[index] as TrackPoint).atMs);
  intervals.sort((one, other) => one - other);
  return intervals[Math.floor(intervals.length / 2)] ?? 0;
}
