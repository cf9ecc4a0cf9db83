import type { FeatureCollection } from 'geojson';
import type { ExpressionSpecification, GeoJSONSource, LayerSpecification, Map as MapLibreMap } from 'maplibre-gl';
import type { MapPalette } from '../../base-map/palette.ts';
import { speedClassesKmh } from '../track/track-shape.ts';

export type OverlaySource = 'roads' | 'planned' | 'track' | 'clusters';

const nothing: FeatureCollection = { type: 'FeatureCollection', features: [] };
const round = { 'line-cap': 'round', 'line-join': 'round' } as const;

/** Sources and layers of ours that lie on any base map, below the vehicles. */
export function addOverlays(map: MapLibreMap, palette: MapPalette, options: { isTrackPlain: boolean }): void {
  for (const id of ['roads', 'planned', 'track', 'clusters'] satisfies OverlaySource[]) {
    map.addSource(id, { type: 'geojson', data: nothing, tolerance: 0.2 });
  }
  for (const layer of overlayLayers(palette, options)) map.addLayer(layer, beforeId(map, layer.id));
}

export function overlayLayers(palette: MapPalette, options: { isTrackPlain: boolean }): LayerSpecification[] {
  const [seldom, often, busy] = palette.roads;
  const bySpeed = [
    'match',
    ['get', 'speedClass'],
    ...speedClassesKmh.flatMap((_, index) => [index, palette.speeds[index]]),
    palette.track,
  ] as unknown as ExpressionSpecification;
  const trackWidth: ExpressionSpecification = ['interpolate', ['linear'], ['zoom'], 9, 2.5, 16, 5.5];
  return [
    {
      id: 'roads',
      type: 'line',
      source: 'roads',
      minzoom: 8,
      layout: { ...round, 'line-sort-key': ['get', 'passes'] },
      paint: {
        'line-color': ['interpolate', ['linear'], ['log10', ['get', 'passes']], 0, seldom, 1, often, 2.3, busy],
        'line-width': [
          'interpolate',
          ['exponential', 1.5],
          ['zoom'],
          9,
          0.6,
          14,
          ['+', 1.2, ['min', 2.4, ['log10', ['get', 'passes']]]],
          18,
          ['+', 7, ['*', 3, ['min', 2.4, ['log10', ['get', 'passes']]]]],
        ],
        'line-opacity': ['interpolate', ['linear'], ['zoom'], 8, 0, 9.5, 1],
      },
    },
    {
      id: 'planned',
      type: 'line',
      source: 'planned',
      layout: round,
      paint: { 'line-color': palette.planned, 'line-width': 1.5, 'line-opacity': 0.8 },
    },
    {
      id: 'track-casing',
      type: 'line',
      source: 'track',
      filter: ['has', 'speedClass'],
      layout: round,
      paint: {
        'line-color': palette.marks.casing,
        'line-width': ['interpolate', ['linear'], ['zoom'], 9, 4, 16, 8.5],
        'line-opacity': 0.7,
      },
    },
    {
      id: 'track-gap',
      type: 'line',
      source: 'track',
      filter: ['has', 'gapMs'],
      paint: { 'line-color': palette.gap, 'line-width': 2, 'line-dasharray': [1.5, 2] },
    },
    {
      id: 'track',
      type: 'line',
      source: 'track',
      filter: ['has', 'speedClass'],
      layout: round,
      paint: { 'line-color': options.isTrackPlain ? palette.track : bySpeed, 'line-width': trackWidth },
    },
    {
      id: 'cluster',
      type: 'circle',
      source: 'clusters',
      paint: {
        'circle-color': palette.marks.casing,
        'circle-stroke-color': palette.marks.onTrip,
        'circle-stroke-width': 1.5,
        'circle-radius': ['interpolate', ['linear'], ['log10', ['get', 'count']], 0, 11, 4, 28],
      },
    },
    {
      id: 'cluster-count',
      type: 'symbol',
      source: 'clusters',
      layout: {
        'text-field': ['number-format', ['get', 'count'], {}],
        'text-font': ['system-ui', 'sans-serif'],
        'text-size': 12,
        'text-allow-overlap': true,
      },
      paint: { 'text-color': palette.marks.free },
    },
  ];
}

export function setOverlay(map: MapLibreMap, source: OverlaySource, data: FeatureCollection | undefined): void {
  map.getSource<GeoJSONSource>(source)?.setData(data ?? nothing);
}

/** Travelled roads belong under the street names; everything else of ours goes on top. */
function beforeId(map: MapLibreMap, id: string): string | undefined {
  return id === 'roads' && map.getLayer('street-casing') ? 'street-casing' : undefined;
}
