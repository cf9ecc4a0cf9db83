import type { Point } from './polyline.ts';
import type { Random } from './random.ts';

/** Errors of a phone's receiver: they drift, so that neighbouring fixes err alike. */
export interface GpsNoise {
  /** @returns where the phone believes to be, and how sure it is (68 %, metres) */
  blur(point: Point, nowMs: number): { point: Point; accuracyMeters: number };
}

/** How fast an error forgets itself. Street canyons change within some ten seconds. */
const memoryMs = 20_000;

/** @param random consumed; its seed decides the errors */
export function createGpsNoise(random: Random): GpsNoise {
  // Phones differ: a good one errs by two metres, a poor one by five.
  const deviationMeters = random.between(1.6, 4);
  let error: Point = { x: random.normal(deviationMeters), y: random.normal(deviationMeters) };
  let lastMs: number | undefined;
  return {
    blur: (point, nowMs) => {
      const kept = lastMs === undefined ? 1 : Math.exp((lastMs - nowMs) / memoryMs);
      const fresh = deviationMeters * Math.sqrt(Math.max(0, 1 - kept ** 2));
      error = { x: error.x * kept + random.normal(fresh), y: error.y * kept + random.normal(fresh) };
      lastMs = nowMs;
      const accuracyMeters = Math.round((2 + deviationMeters + Math.hypot(error.x, error.y) / 2) * 10) / 10;
      return { point: { x: point.x + error.x, y: point.y + error.y }, accuracyMeters };
    },
  };
}
