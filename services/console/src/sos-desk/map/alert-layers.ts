import type { TrailSource } from '@hushryd/contracts/http/sos-trail';
import type { ExpressionSpecification, LayerSpecification, Map as MapLibreMap } from 'maplibre-gl';
import type { MapPalette } from '../../base-map/palette.ts';

export const sources = ['trail', 'press'] as const;

const iconPixels = 32;
const round = { 'line-cap': 'round', 'line-join': 'round' } as const;
const of = (source: TrailSource): ExpressionSpecification => ['==', ['get', 'source'], source];
const isLine: ExpressionSpecification = ['==', ['geometry-type'], 'LineString'];
const isPoint: ExpressionSpecification = ['==', ['geometry-type'], 'Point'];

/** The driver's way: a whole line with round dots. The person's: dashed, with diamonds. So nobody has to know the colours. */
export function alertLayers(palette: MapPalette): LayerSpecification[] {
  return [
    {
      id: 'press-accuracy',
      type: 'fill',
      source: 'press',
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': palette.sos, 'fill-opacity': 0.12, 'fill-outline-color': palette.sos },
    },
    {
      id: 'trail-driver',
      type: 'line',
      source: 'trail',
      filter: ['all', isLine, of('driver')],
      layout: round,
      paint: { 'line-color': palette.marks.onTrip, 'line-width': 3 },
    },
    {
      id: 'trail-person',
      type: 'line',
      source: 'trail',
      filter: ['all', isLine, of('person')],
      paint: { 'line-color': palette.sos, 'line-width': 3, 'line-dasharray': [2, 1.4] },
    },
    {
      id: 'trail-dots',
      type: 'circle',
      source: 'trail',
      filter: ['all', isPoint, of('driver')],
      paint: {
        'circle-color': palette.marks.onTrip,
        'circle-stroke-color': palette.marks.casing,
        'circle-stroke-width': 1.5,
        'circle-radius': ['case', ['get', 'isNewest'], 8, 3],
      },
    },
    {
      id: 'trail-diamonds',
      type: 'symbol',
      source: 'trail',
      filter: ['all', isPoint, of('person')],
      layout: {
        'icon-image': 'diamond',
        'icon-size': ['case', ['get', 'isNewest'], 0.75, 0.3],
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
      },
      paint: { 'icon-color': palette.sos, 'icon-halo-color': palette.marks.casing, 'icon-halo-width': 1.5 },
    },
    {
      id: 'press',
      type: 'symbol',
      source: 'press',
      filter: isPoint,
      layout: {
        'icon-image': 'cross',
        'icon-size': 0.7,
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
      },
      paint: { 'icon-color': palette.sos, 'icon-halo-color': palette.marks.casing, 'icon-halo-width': 2 },
    },
  ];
}

/** Shapes that take their layer's colour: signed distances to an edge, as MapLibre wants them. */
export function addShapes(map: MapLibreMap): void {
  map.addImage('diamond', drawShape(diamondDistance), { sdf: true });
  map.addImage('cross', drawShape(crossDistance), { sdf: true });
}

/** Pixels outside of a square that stands on its corner. */
const diamondDistance = (x: number, y: number): number => (Math.abs(x) + Math.abs(y) - 11) / Math.SQRT2;

/** Pixels outside of a diagonal cross: where the button was pressed. */
function crossDistance(x: number, y: number): number {
  const [across, along] = [Math.abs(x - y) / Math.SQRT2, Math.abs(x + y) / Math.SQRT2];
  const arm = (near: number, far: number) => Math.max(near - 2.6, far - 12);
  return Math.min(arm(across, along), arm(along, across));
}

/** As glyphs are stored: 192 on the edge, 32 less for each pixel outside. */
function drawShape(distance: (x: number, y: number) => number): ImageData {
  const image = new ImageData(iconPixels, iconPixels);
  const middle = (iconPixels - 1) / 2;
  for (let y = 0; y < iconPixels; y += 1) {
    for (let x = 0; x < iconPixels; x += 1) {
      const alpha = 192 - 32 * distance(x - middle, y - middle);
      image.data[(y * iconPixels + x) * 4 + 3] = Math.max(0, Math.min(255, alpha));
    }
  }
  return image;
}
