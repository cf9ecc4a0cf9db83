import { distanceMeters } from '../geo/distance.ts';
import type { HistoryDocument } from './to-history-document.ts';

/** A stretch of road between two points 11 m or more apart, without direction: driven either way it is the same one. */
export interface RoadSegment {
  /** Its two ends in 10⁻⁴ degrees, the smaller first. */
  id: string;
  /** GeoJSON order: [lng, lat]. */
  ends: [[number, number], [number, number]];
}

/** Some 11 m: tracks of the same street fall together, lanes do not matter. */
const gridDegrees = 1e-4;
/** Longer than this, a line between two fixes says nothing about the road. */
const maxGapMs = 60_000;
const maxMeters = 1_500;

/**
 * The road segment that two consecutive fixes of a trip suggest, or undefined where they say nothing: another trip or run, the same
 * place, or too far apart in time or space.
 *
 * Pure. What is kept holds no driver, trip or time.
 */
export function toRoadSegment(from: HistoryDocument, to: HistoryDocument): RoadSegment | undefined {
  if (from.meta.tripId === undefined || from.meta.tripId !== to.meta.tripId || from.run !== to.run) return undefined;
  const gapMs = to.ts.getTime() - from.ts.getTime();
  if (gapMs <= 0 || gapMs > maxGapMs) return undefined;
  if (distanceMeters(from.lat, from.lng, to.lat, to.lng) > maxMeters) return undefined;

  const a = toGrid(from);
  const b = toGrid(to);
  if (a.key === b.key) return undefined;
  const [first, second] = a.key < b.key ? [a, b] : [b, a];
  return { id: `${first.key};${second.key}`, ends: [first.point, second.point] };
}

function toGrid({ lat, lng }: HistoryDocument): { key: string; point: [number, number] } {
  const latSteps = Math.round(lat / gridDegrees);
  const lngSteps = Math.round(lng / gridDegrees);
  return { key: `${latSteps},${lngSteps}`, point: [lngSteps / 1e4, latSteps / 1e4] };
}
