import 'maplibre-gl/dist/maplibre-gl.css';
import { Map as MapLibreMap, type StyleSpecification, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { Camera } from '../routing/view.ts';
import { baseStyle } from './base-style.ts';
import type { MapPalette } from './palette.ts';

setWorkerUrl(workerUrl);

const wholeWorld: Camera = { lat: 22, lng: 10, zoom: 1.6 };

/** A map without vehicles: north is always up, nothing tilts, and the keyboard moves it once it has the focus. */
export function createMap(input: {
  container: HTMLElement;
  palette: MapPalette;
  streetsUrl: string | null;
  mapStyleUrl: string | null;
  camera: Camera | undefined;
}): MapLibreMap {
  const { lat, lng, zoom } = input.camera ?? wholeWorld;
  const map = new MapLibreMap({
    container: input.container,
    style: chooseStyle(input),
    center: [lng, lat],
    zoom,
    minZoom: 1,
    maxZoom: 19,
    renderWorldCopies: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    // Our own base map owes nobody a line; sources of another style say what their licences ask for.
    attributionControl: input.mapStyleUrl === null ? false : { compact: true },
    fadeDuration: 120,
    locale: { 'Map.Title': 'Map of vehicles. Arrow keys move it, plus and minus zoom.' },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  return map;
}

function chooseStyle(input: {
  palette: MapPalette;
  streetsUrl: string | null;
  mapStyleUrl: string | null;
}): StyleSpecification | string {
  const { mapStyleUrl } = input;
  if (mapStyleUrl === null) return baseStyle(input);
  if (!mapStyleUrl.includes('{z}')) return mapStyleUrl;
  return {
    version: 8,
    sources: { tiles: { type: 'raster', tiles: [mapStyleUrl], tileSize: 256 } },
    layers: [{ id: 'tiles', type: 'raster', source: 'tiles' }],
  };
}
