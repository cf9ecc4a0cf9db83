import type { LatLng } from '@hushryd/contracts/geo';
import type { Feature, FeatureCollection, LineString } from 'geojson';
import type { TrackShape } from './track-shape.ts';

/** A track as GeoJSON: stretches carry `speedClass`, gaps `gapMs`. */
export function trackFeatures(shape: TrackShape): FeatureCollection<LineString> {
  return {
    type: 'FeatureCollection',
    features: [
      ...shape.stretches.map(({ from, to, speedClass }) => lineOf(shape, from, to, { speedClass })),
      ...shape.gaps.map(({ from, to, durationMs }) => lineOf(shape, from, to, { gapMs: durationMs })),
    ],
  };
}

export function plannedFeatures(route: readonly LatLng[]): FeatureCollection<LineString> {
  const coordinates = route.map(({ lat, lng }) => [lng, lat]);
  return {
    type: 'FeatureCollection',
    features: [{ type: 'Feature', geometry: { type: 'LineString', coordinates }, properties: {} }],
  };
}

function lineOf(shape: TrackShape, from: number, to: number, properties: Record<string, number>): Feature<LineString> {
  const coordinates = shape.points.slice(from, to + 1).map(({ fix }) => [fix.lng, fix.lat]);
  return { type: 'Feature', geometry: { type: 'LineString', coordinates }, properties };
}
