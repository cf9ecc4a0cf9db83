/** Of the mean sphere. */
export const earthRadiusMeters = 6_371_008.8;
export const radiansPerDegree = Math.PI / 180;

/**
 * Great-circle distance in metres (haversine on the mean sphere; within 0.5 % of the ellipsoid, which is far below GPS noise).
 */
export function distanceMeters(fromLat: number, fromLng: number, toLat: number, toLng: number): number {
  const halfLat = ((toLat - fromLat) * radiansPerDegree) / 2;
  const halfLng = ((toLng - fromLng) * radiansPerDegree) / 2;
  const sinLat = Math.sin(halfLat);
  const sinLng = Math.sin(halfLng);
  const chord =
    sinLat * sinLat + Math.cos(fromLat * radiansPerDegree) * Math.cos(toLat * radiansPerDegree) * sinLng * sinLng;
  return 2 * earthRadiusMeters * Math.asin(Math.min(1, Math.sqrt(chord)));
}
