import type { Geometry, Position } from 'geojson';

/** Web Mercator ends here. */
const southEdge = -85.05;

/**
 * Make rings that cross the 180th meridian continuous, by letting them run past ±180°: drawn as they are (world-atlas keeps them whole, for
 * a globe) Russia and Fiji would be joined straight across the map. MapLibre brings what lies past the edge back on the other side.
 * A ring around the pole (Antarctica) is closed along the bottom of the map.
 */
export function unwrapWorld(geometry: Geometry): Geometry {
  if (geometry.type === 'Polygon') return { ...geometry, coordinates: geometry.coordinates.map(unwrapRing) };
  if (geometry.type === 'MultiPolygon') {
    return { ...geometry, coordinates: geometry.coordinates.map((polygon) => polygon.map(unwrapRing)) };
  }
  if (geometry.type === 'MultiLineString') return { ...geometry, coordinates: geometry.coordinates.map(unwrapLine) };
  if (geometry.type === 'GeometryCollection') {
    return { ...geometry, geometries: geometry.geometries.map(unwrapWorld) };
  }
  return geometry;
}

function unwrapRing(ring: Position[]): Position[] {
  const line = unwrapLine(ring);
  const [startLng = 0] = line[0] ?? [];
  const [endLng = 0] = line.at(-1) ?? [];
  if (Math.abs(endLng - startLng) < 180) return line;
  return [...line, [endLng, southEdge], [startLng, southEdge], ...line.slice(0, 1)];
}

function unwrapLine(line: Position[]): Position[] {
  let beforeLng = line[0]?.[0] ?? 0;
  return line.map(([lng = 0, lat = 0]) => {
    const turns = Math.round((beforeLng - lng) / 360);
    beforeLng = lng + turns * 360;
    return [beforeLng, lat];
  });
}
