import type { Map as MapLibreMap } from 'maplibre-gl';
import { pixelsPerWorld, toLatLng, toWorld, type WorldPoint } from '../vehicles/mercator.ts';

/** Parts of the map that panels cover, CSS pixels. */
export interface Insets {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

/** The map paints its streets anew with every step; smaller steps than this are not worth that. */
const minStepPixels = 0.1;

/** From farther out a vehicle can hardly be told from its neighbours, let alone seen moving. */
export const followFromZoom = 12;
const followAtZoom = 14.5;

/** Bring a vehicle into the middle, near enough to see it move. */
export function approach(map: MapLibreMap, place: WorldPoint, options: { insets: Insets; durationMs: number }): void {
  const zoom = Math.max(map.getZoom(), followAtZoom);
  const center = toLatLng(centreFor(place, options.insets, pixelsPerWorld(zoom)));
  map.easeTo({ center, zoom, duration: options.durationMs });
}

/** Move the map so that a place stands in the middle of what panels leave free. */
export function keepInMiddle(map: MapLibreMap, place: WorldPoint, insets: Insets): void {
  // A person's zoom is on its way; it goes around the middle and would be cut short.
  if (map.isZooming()) return;
  const world = pixelsPerWorld(map.getZoom());
  const wanted = centreFor(place, insets, world);
  const { lat, lng } = map.getCenter();
  const centre = toWorld(lat, lng);
  const stepPixels = Math.hypot(centre.x - wanted.x, centre.y - wanted.y) * world;
  if (stepPixels >= minStepPixels) map.jumpTo({ center: toLatLng(wanted) });
}

/** Where the map's centre has to be. */
export function centreFor(place: WorldPoint, insets: Insets, worldPixels: number): WorldPoint {
  return {
    x: place.x + (insets.right - insets.left) / 2 / worldPixels,
    y: place.y + (insets.bottom - insets.top) / 2 / worldPixels,
  };
}
