import type { LatLng } from '@hushryd/contracts/geo';

/** The smallest box that holds all of these places; undefined where there is none. Pure. */
export function boxAround(
  places: Iterable<LatLng>,
): [west: number, south: number, east: number, north: number] | undefined {
  let box: [number, number, number, number] | undefined;
  for (const { lat, lng } of places) {
    if (box === undefined) box = [lng, lat, lng, lat];
    else box = [Math.min(box[0], lng), Math.min(box[1], lat), Math.max(box[2], lng), Math.max(box[3], lat)];
  }
  return box;
}
