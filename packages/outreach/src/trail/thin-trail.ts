import type { TrailPoint } from '@hushryd/contracts/http/sos-trail';

/** What was last is what counts: so many of the newest points stay as they are. */
const keptShare = 0.5;

/**
 * At most `max` points of a trail: the newest half of them all, and of those before evenly many, the first among them. Pure.
 *
 * @param points in order of time
 */
export function thinTrail(points: readonly TrailPoint[], max: number): TrailPoint[] {
  if (points.length <= max) return [...points];
  const newestCount = Math.ceil(max * keptShare);
  const older = points.slice(0, points.length - newestCount);
  const olderCount = max - newestCount;
  const step = older.length / olderCount;
  const picked = Array.from({ length: olderCount }, (_, index) => older[Math.floor(index * step)] as TrailPoint);
  return [...picked, ...points.slice(-newestCount)];
}
