/** Web Mercator with the world as the unit square: x grows east, y grows south. Doubles keep it exact to well under a millimetre. */
export interface WorldPoint {
  x: number;
  y: number;
}

const earthCircumferenceMeters = 40_075_016.686;
/** The latitude at which the square ends. */
const maxLatitude = 85.051129;

export function toWorld(lat: number, lng: number): WorldPoint {
  const clamped = Math.max(-maxLatitude, Math.min(maxLatitude, lat));
  const sine = Math.sin((clamped * Math.PI) / 180);
  return { x: (lng + 180) / 360, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) };
}

export function toLatLng(point: WorldPoint): { lat: number; lng: number } {
  const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * point.y))) * 180) / Math.PI;
  return { lat, lng: point.x * 360 - 180 };
}

/** World units of one metre on the ground at a world `y`. */
export function worldUnitsPerMeter(y: number): number {
  return Math.cosh(Math.PI * (1 - 2 * y)) / earthCircumferenceMeters;
}

const tileSizePixels = 512;

/** Width of the whole world on the screen, CSS pixels. */
export const pixelsPerWorld = (zoom: number): number => tileSizePixels * 2 ** zoom;

/** Metres on the ground between two points close to each other (a vehicle's steps, not flights). */
export function groundMeters(from: WorldPoint, to: WorldPoint): number {
  return Math.hypot(to.x - from.x, to.y - from.y) / worldUnitsPerMeter((from.y + to.y) / 2);
}

/** Clockwise from north, 0 ≤ degrees < 360. */
export function bearingDegrees(from: WorldPoint, to: WorldPoint): number {
  return ((Math.atan2(to.x - from.x, from.y - to.y) * 180) / Math.PI + 360) % 360;
}
