import type { LatLng } from '@hushryd/contracts/geo';

const earthRadiusMeters = 6_371_008.8;
const radians = Math.PI / 180;

/** Great-circle distance, metres (haversine; off by at most 0.5 % from the ellipsoid). */
export function distanceMeters(from: LatLng, to: LatLng): number {
  const dLat = (to.lat - from.lat) * radians;
  const dLng = (to.lng - from.lng) * radians;
  const a =
    Math.sin(dLat / 2) ** 2 + Math.cos(from.lat * radians) * Math.cos(to.lat * radians) * Math.sin(dLng / 2) ** 2;
  return 2 * earthRadiusMeters * Math.asin(Math.min(1, Math.sqrt(a)));
}

/** Direction of travel from one point to another, clockwise from true north, 0 ≤ bearing < 360. */
export function bearingDegrees(from: LatLng, to: LatLng): number {
  const dLng = (to.lng - from.lng) * radians;
  const y = Math.sin(dLng) * Math.cos(to.lat * radians);
  const x =
    Math.cos(from.lat * radians) * Math.sin(to.lat * radians) -
    Math.sin(from.lat * radians) * Math.cos(to.lat * radians) * Math.cos(dLng);
  return (Math.atan2(y, x) / radians + 360) % 360;
}

/** A flat plane laid on the earth around `origin`: metres east (x) and north (y). Good for a city, not for a country. */
export interface Plane {
  toLatLng(point: { x: number; y: number }): LatLng;
}

/** @returns a plane whose coordinates come back rounded to 1e-6 degrees (0.1 m), as phones report them */
export function createPlane(origin: LatLng): Plane {
  const metersPerLat = earthRadiusMeters * radians;
  const metersPerLng = metersPerLat * Math.cos(origin.lat * radians);
  return {
    toLatLng: ({ x, y }) => ({
      lat: roundDegrees(origin.lat + y / metersPerLat),
      lng: roundDegrees(origin.lng + x / metersPerLng),
    }),
  };
}

/** 1e-6 degrees: about 0.1 m. */
export function roundDegrees(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6;
}
