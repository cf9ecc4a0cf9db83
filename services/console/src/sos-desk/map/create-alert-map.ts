import type { LatLng } from '@hushryd/contracts/geo';
import type { FeatureCollection } from 'geojson';
import type { GeoJSONSource } from 'maplibre-gl';
import { baseLayers } from '../../base-map/base-style.ts';
import { boxAround } from '../../base-map/box-around.ts';
import { createMap } from '../../base-map/create-map.ts';
import { bringLand } from '../../base-map/land-detail.ts';
import { palettes } from '../../base-map/palette.ts';
import { repaint } from '../../base-map/repaint.ts';
import { pressFeatures, trailFeatures } from './alert-features.ts';
import { addShapes, alertLayers, sources } from './alert-layers.ts';
import type { TrailPoint } from './trail-point.ts';

export type MapTheme = keyof typeof palettes;

export interface AlertMap {
  setTheme(theme: MapTheme): void;
  setPress(place: (LatLng & { accuracyMeters?: number | undefined }) | undefined): void;
  setTrail(points: readonly TrailPoint[]): void;
  /** Show all of these places. */
  fitTo(places: Iterable<LatLng>, options?: { isInstant?: boolean }): void;
  zoomBy(steps: number): void;
  close(): void;
}

const nothing: FeatureCollection = { type: 'FeatureCollection', features: [] };
/** Room for what lies over the map: buttons above, the legend below. */
const padding = { top: 56, right: 72, bottom: 128, left: 56 };
/** Nearer than this one sees a street corner and not where it is. */
const nearestZoom = 16;

/**
 * The map around one alert: where the button was pressed, and both trails.
 *
 * @throws Error where the browser has no WebGL 2
 */
export function createAlertMap(input: {
  container: HTMLElement;
  theme: MapTheme;
  streetsUrl: string | null;
  mapStyleUrl: string | null;
  isMotionReduced: () => boolean;
  /** A person took hold of the map. */
  onDrag: () => void;
}): AlertMap {
  const data = new Map<(typeof sources)[number], FeatureCollection>();
  const closers: { close(): void }[] = [];
  let theme = input.theme;
  let isReady = false;

  const map = createMap({ ...input, palette: palettes[theme], camera: undefined });
  map.once('style.load', () => {
    addShapes(map);
    for (const id of sources) map.addSource(id, { type: 'geojson', data: data.get(id) ?? nothing, tolerance: 0.2 });
    for (const layer of alertLayers(palettes[theme])) map.addLayer(layer);
    if (input.mapStyleUrl === null) closers.push(bringLand(map, () => undefined));
    isReady = true;
  });
  // Streets and coast are decoration: without them the trail is still drawn.
  map.on('error', () => undefined);
  map.on('dragstart', input.onDrag);

  function show(id: (typeof sources)[number], features: FeatureCollection): void {
    data.set(id, features);
    if (isReady) map.getSource<GeoJSONSource>(id)?.setData(features);
  }

  return {
    setTheme(next) {
      theme = next;
      if (!isReady) return;
      if (input.mapStyleUrl === null) repaint(map, baseLayers(palettes[theme]));
      repaint(map, alertLayers(palettes[theme]));
    },
    setPress: (place) => show('press', pressFeatures(place)),
    setTrail: (points) => show('trail', trailFeatures(points)),
    fitTo(places, { isInstant = false } = {}) {
      const box = boxAround(places);
      if (box === undefined) return;
      const animate = !isInstant && !input.isMotionReduced();
      map.fitBounds(box, { padding, maxZoom: nearestZoom, animate, duration: 600 });
    },
    zoomBy(steps) {
      map.easeTo({ zoom: map.getZoom() + steps, duration: input.isMotionReduced() ? 0 : 200 });
    },
    close() {
      for (const closer of closers) closer.close();
      map.remove();
    },
  };
}
