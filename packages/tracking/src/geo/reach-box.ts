import { earthRadiusMeters, radiansPerDegree } from './distance.ts';

/** How far a place may differ in each coordinate and still be within reach. */
export interface ReachBox {
  readonly latDegrees: number;
  readonly lngDegrees: number;
}

/** Rounding must not shut out a place that lies exactly on the edge: 0.1 mm, and a billionth. */
const withSlack = (degrees: number): number => degrees * (1 + 1e-9) + 1e-9;

/**
 * The box around everything within `meters` of a latitude: two comparisons keep most places from being measured. The widest longitude is
 * reached not beside the middle but nearer to the pole, asin(sin δ / cos φ) away; a pole within reach makes all longitudes possible.
 */
export function reachBox(lat: number, meters: number): ReachBox {
  const angle = meters / earthRadiusMeters;
  const latDegrees = withSlack(angle / radiansPerDegree);
  const ratio = Math.sin(angle) / Math.cos(lat * radiansPerDegree);
  const isPoleInReach = Math.abs(lat) + latDegrees >= 90 || !(ratio < 1);
  return { latDegrees, lngDegrees: isPoleInReach ? 180 : withSlack(Math.asin(ratio) / radiansPerDegree) };
}
