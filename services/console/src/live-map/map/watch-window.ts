import type { BoundingBox } from '@hushryd/contracts/realtime/topic-filter';
import type { Map as MapLibreMap } from 'maplibre-gl';

/** The map rests this long before the server is asked for another part. */
const restMs = 300;
/** Asked for beyond the edges of the view, so that small drags show nothing empty. */
const margin = 0.25;
/** Much closer than this the same box would bring clusters that are too large, and vehicles that are out of view. */
const zoomSteps = 0.75;

/** Tell which part of the world the map looks at, once it rests there. A map that follows a vehicle never rests: it is asked in between. */
export function watchWindow(map: MapLibreMap, onWindow: (box: BoundingBox) => void): { close(): void } {
  let told: { box: BoundingBox; zoom: number } | undefined;
  let resting: ReturnType<typeof setTimeout> | undefined;

  function look(): void {
    resting = undefined;
    const bounds = map.getBounds();
    const view = { south: bounds.getSouth(), west: bounds.getWest(), north: bounds.getNorth(), east: bounds.getEast() };
    const zoom = map.getZoom();
    const isCovered = told !== undefined && isInside(view, told.box) && Math.abs(zoom - told.zoom) < zoomSteps;
    // Said again where it still serves: whoever asked for the whole fleet in between goes back to it.
    if (told === undefined || !isCovered) told = { box: padBox(view), zoom };
    onWindow(told.box);
  }
  const settle = () => {
    resting ??= setTimeout(look, restMs);
  };
  map.on('moveend', settle);
  map.on('resize', settle);
  look();
  return {
    close() {
      map.off('moveend', settle);
      map.off('resize', settle);
      clearTimeout(resting);
    },
  };
}

/** The map shows one world and no date line within it, so edges are cut there. */
export function padBox({ south, west, north, east }: BoundingBox): BoundingBox {
  const lat = (north - south) * margin;
  const lng = (east - west) * margin;
  return {
    south: round(Math.max(-90, south - lat)),
    west: round(Math.max(-180, west - lng)),
    north: round(Math.min(90, north + lat)),
    east: round(Math.min(180, east + lng)),
  };
}

function isInside(view: BoundingBox, box: BoundingBox): boolean {
  const isBetween = (low: number, high: number, boxLow: number, boxHigh: number, limit: number) =>
    Math.max(low, -limit) >= boxLow && Math.min(high, limit) <= boxHigh;
  return (
    isBetween(view.south, view.north, box.south, box.north, 90) &&
    isBetween(view.west, view.east, box.west, box.east, 180)
  );
}

const round = (degrees: number): number => Math.round(degrees * 1e4) / 1e4;
