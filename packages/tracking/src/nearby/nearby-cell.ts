import { cellToLatLng, getResolution, isValidCell, latLngToCell } from 'h3-js';

/**
 * Cells that riders in one neighbourhood share: H3 resolution 8, hexagons some 460 m a side. All in one see the drivers nearest to its
 * middle.
 */
const resolution = 8;

export const cellAround = ({ lat, lng }: { lat: number; lng: number }): string => latLngToCell(lat, lng, resolution);

/** @returns undefined where it is no such cell */
export function middleOfCell(cell: string): { lat: number; lng: number } | undefined {
  if (!isValidCell(cell) || getResolution(cell) !== resolution) return undefined;
  const [lat, lng] = cellToLatLng(cell);
  return { lat, lng };
}
