import type { FeatureCollection } from 'geojson';
import type {
  ExpressionSpecification,
  GeoJSONSourceSpecification,
  LayerSpecification,
  StyleSpecification,
} from 'maplibre-gl';
import type { MapPalette } from './palette.ts';

/** Three grades of the same coast, drawn one after the other on the way from the globe to the street. */
export const landGrades = [
  { id: 'far', fromZoom: 0 },
  { id: 'middle', fromZoom: 3.5 },
  { id: 'near', fromZoom: 6.5 },
] as const;
export type LandGrade = (typeof landGrades)[number]['id'];

const labelFont = ['system-ui', 'sans-serif'];
const nothing: FeatureCollection = { type: 'FeatureCollection', features: [] };
/** The finest coast is drawn for 1:10,000,000: at street level it may be off by some hundred metres, so there it only hints. */
const coastFadesFromZoom = 9;
const coastGoneAtZoom = 13;

/**
 * The map without internet: coast and land (Natural Earth by way of world-atlas), and the streets that the server of this page offers.
 * It needs no glyph files: MapLibre draws letters with the system's font where a style names none.
 */
export function baseStyle(input: { palette: MapPalette; streetsUrl: string | null }): StyleSpecification {
  return {
    version: 8,
    sources: {
      ...Object.fromEntries(landGrades.map(({ id }) => [`land-${id}`, landSource()])),
      borders: landSource(),
      places: { type: 'geojson', data: nothing },
      streets: { type: 'geojson', data: input.streetsUrl ?? nothing, tolerance: 0.2 },
    },
    layers: baseLayers(input.palette),
  };
}

export function baseLayers(palette: MapPalette): LayerSpecification[] {
  return [
    {
      id: 'water',
      type: 'background',
      paint: {
        'background-color': [
          'interpolate',
          ['linear'],
          ['zoom'],
          coastFadesFromZoom,
          palette.water,
          coastGoneAtZoom,
          mix(palette.water, palette.land, 0.75),
        ],
      },
    },
    ...landGrades.flatMap(({ id }): LayerSpecification[] => [
      {
        id: `land-${id}`,
        type: 'fill',
        source: `land-${id}`,
        paint: { 'fill-color': palette.land, 'fill-antialias': false },
      },
      {
        id: `coast-${id}`,
        type: 'line',
        source: `land-${id}`,
        paint: {
          'line-color': palette.coast,
          'line-width': 1,
          'line-opacity': ['interpolate', ['linear'], ['zoom'], coastFadesFromZoom, 1, coastGoneAtZoom, 0.25],
        },
      },
    ]),
    {
      id: 'borders',
      type: 'line',
      source: 'borders',
      maxzoom: 10,
      paint: {
        'line-color': palette.border,
        'line-width': 1,
        'line-dasharray': [3, 2],
        'line-opacity': ['interpolate', ['linear'], ['zoom'], 8, 1, 10, 0],
      },
    },
    ...streetLayers(palette),
    {
      id: 'places',
      type: 'symbol',
      source: 'places',
      maxzoom: 6.5,
      layout: {
        'text-field': ['get', 'name'],
        'text-font': labelFont,
        'text-size': ['interpolate', ['linear'], ['zoom'], 2, 10, 6, 13],
        'text-letter-spacing': 0.08,
        'text-max-width': 7,
        'symbol-sort-key': ['-', 0, ['get', 'size']],
        'text-padding': 8,
      },
      paint: { 'text-color': palette.placeLabel, 'text-halo-color': palette.placeHalo, 'text-halo-width': 1.2 },
    },
  ];
}

function streetLayers(palette: MapPalette): LayerSpecification[] {
  const isRiver: ExpressionSpecification = ['==', ['get', 'class'], 'river'];
  const isMajor: ExpressionSpecification = ['in', ['get', 'class'], ['literal', ['avenue', 'ring', 'bridge']]];
  const widthAt = (far: number, middle: number, near: number, extra: number): ExpressionSpecification => [
    'interpolate',
    ['exponential', 1.6],
    ['zoom'],
    10,
    ['case', isMajor, far * 1.7, far],
    14,
    ['+', extra, ['case', isMajor, middle * 1.8, middle]],
    18,
    ['+', extra * 1.5, ['case', isMajor, near * 1.5, near]],
  ];
  const round = { 'line-cap': 'round', 'line-join': 'round' } as const;
  return [
    {
      id: 'river',
      type: 'line',
      source: 'streets',
      filter: isRiver,
      layout: { 'line-cap': 'butt', 'line-join': 'round' },
      paint: {
        'line-color': palette.river,
        'line-width': ['interpolate', ['exponential', 2], ['zoom'], 10, 3, 18, 700],
      },
    },
    {
      id: 'street-casing',
      type: 'line',
      source: 'streets',
      minzoom: 11.5,
      filter: ['!', isRiver],
      layout: round,
      paint: { 'line-color': palette.streetCasing, 'line-width': widthAt(0.5, 2.2, 15, 1.6) },
    },
    {
      id: 'street',
      type: 'line',
      source: 'streets',
      filter: ['!', isRiver],
      layout: { ...round, 'line-sort-key': ['case', isMajor, 1, 0] },
      paint: {
        'line-color': ['case', isMajor, palette.avenue, palette.street],
        'line-width': widthAt(0.5, 2.2, 15, 0),
      },
    },
    {
      id: 'street-label',
      type: 'symbol',
      source: 'streets',
      minzoom: 14,
      filter: ['has', 'name'],
      layout: { 'symbol-placement': 'line', 'text-field': ['get', 'name'], 'text-font': labelFont, 'text-size': 11 },
      paint: { 'text-color': palette.streetLabel, 'text-halo-color': palette.placeHalo, 'text-halo-width': 1.4 },
    },
  ];
}

const landSource = (): GeoJSONSourceSpecification => ({ type: 'geojson', data: nothing, maxzoom: 12, tolerance: 0.5 });

function mix(from: string, to: string, share: number): string {
  const channels = [1, 3, 5].map((at) => {
    const [one, other] = [from, to].map((hex) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number];
    return Math.round(one + (other - one) * share)
      .toString(16)
      .padStart(2, '0');
  });
  return `#${channels.join('')}`;
}
