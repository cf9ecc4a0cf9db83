import type { BoundingBox } from '@hushryd/sdk/http/http-client';

/** Roads are drawn from this zoom on; farther out the answer would be all roads of a country. */
export const roadsFromZoom = 9;
/** Fetched beyond the edges of the view, so that small drags ask nothing. */
const margin = 0.35;

export interface RoadView extends BoundingBox {
  zoom: number;
}

/** The part of the world to fetch roads for; undefined where they would not be drawn. */
export function roadBox(view: RoadView): BoundingBox | undefined {
  if (view.zoom < roadsFromZoom) return undefined;
  const lng = (view.east - view.west) * margin;
  const lat = (view.north - view.south) * margin;
  return {
    west: round(Math.max(-180, view.west - lng)),
    south: round(Math.max(-90, view.south - lat)),
    east: round(Math.min(180, view.east + lng)),
    north: round(Math.min(90, view.north + lat)),
  };
}

/** Does what was fetched still serve a view? Not when it looks beyond it, nor much closer (there are more roads to show then). */
export function covers(fetched: RoadView & { box: BoundingBox }, view: RoadView): boolean {
  const { box } = fetched;
  const isInside = view.west >= box.west && view.east <= box.east && view.south >= box.south && view.north <= box.north;
  return isInside && view.zoom - fetched.zoom < 1;
}

const round = (degrees: number): number => Math.round(degrees * 1e4) / 1e4;
