import type { LatLng } from '@hushryd/contracts/geo';
import type { TrailPoint as ToldPoint, TrailSource } from '@hushryd/contracts/http/sos-trail';

export interface TrailPoint extends LatLng {
  /** Whose phone measured it: the driver's, or that of the person who calls for help. */
  source: TrailSource;
  recordedAtMs: number;
}

/** Some hours of both phones; what is older is in the export. */
export const maxTrailPoints = 5_000;

/**
 * Put what was told to what is known: points may come twice, and an older one after a newer. The result is in order of time. Pure.
 *
 * @returns the same array where nothing is new
 */
export function mergeTrail(known: readonly TrailPoint[], told: readonly ToldPoint[]): readonly TrailPoint[] {
  const names = new Set(known.map(nameOf));
  const news: TrailPoint[] = [];
  for (const { source, lat, lng, recordedAt } of told) {
    const point = { source, lat, lng, recordedAtMs: Date.parse(recordedAt) };
    if (names.has(nameOf(point))) continue;
    names.add(nameOf(point));
    news.push(point);
  }
  if (news.length === 0) return known;
  return [...known, ...news].sort((one, other) => one.recordedAtMs - other.recordedAtMs).slice(-maxTrailPoints);
}

const nameOf = ({ source, recordedAtMs }: TrailPoint): string => `${source}-${recordedAtMs}`;
