import type { LatLng } from '@hushryd/contracts/geo';
import type { TrailSource } from '@hushryd/contracts/http/sos-trail';
import type { Feature, FeatureCollection, Position } from 'geojson';
import type { TrailPoint } from './trail-point.ts';

/** Longer silences are gaps: no line is drawn over what nobody measured. */
const gapMs = 60_000;
const earthRadiusMeters = 6_371_000;
const ringPoints = 48;

/** The trail as lines by source, each fix as a dot, the newest of each source apart. Points in order of time. Pure. */
export function trailFeatures(points: readonly TrailPoint[]): FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: (['driver', 'person'] as const).flatMap((source) =>
      featuresOf(
        source,
        points.filter((point) => point.source === source),
      ),
    ),
  };
}

function featuresOf(source: TrailSource, points: readonly TrailPoint[]): Feature[] {
  const stretches: Position[][] = [];
  let before: TrailPoint | undefined;
  for (const point of points) {
    const isGap = before === undefined || point.recordedAtMs - before.recordedAtMs > gapMs;
    if (isGap) stretches.push([]);
    stretches.at(-1)?.push(positionOf(point));
    before = point;
  }
  return [
    ...stretches
      .filter((coordinates) => coordinates.length > 1)
      .map(
        (coordinates): Feature => ({
          type: 'Feature',
          geometry: { type: 'LineString', coordinates },
          properties: { source },
        }),
      ),
    ...points.map(
      (point, index): Feature => ({
        type: 'Feature',
        geometry: { type: 'Point', coordinates: positionOf(point) },
        properties: { source, isNewest: index === points.length - 1 },
      }),
    ),
  ];
}

/** Where the button was pressed, and how far off that may be. Pure. */
export function pressFeatures(
  place: (LatLng & { accuracyMeters?: number | undefined }) | undefined,
): FeatureCollection {
  if (place === undefined) return { type: 'FeatureCollection', features: [] };
  const pin: Feature = {
    type: 'Feature',
    geometry: { type: 'Point', coordinates: positionOf(place) },
    properties: {},
  };
  const { accuracyMeters } = place;
  return { type: 'FeatureCollection', features: accuracyMeters ? [ringAround(place, accuracyMeters), pin] : [pin] };
}

function ringAround({ lat, lng }: LatLng, radiusMeters: number): Feature {
  const radiusDegrees = ((radiusMeters / earthRadiusMeters) * 180) / Math.PI;
  const stretch = Math.max(0.01, Math.cos((lat * Math.PI) / 180));
  const ring = Array.from({ length: ringPoints + 1 }, (_, index): Position => {
    const angle = (2 * Math.PI * index) / ringPoints;
    return [lng + (Math.cos(angle) * radiusDegrees) / stretch, lat + Math.sin(angle) * radiusDegrees];
  });
  return { type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] }, properties: {} };
}

const positionOf = ({ lat, lng }: LatLng): Position => [lng, lat];
