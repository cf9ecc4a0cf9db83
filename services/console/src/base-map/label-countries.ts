import type { Feature, FeatureCollection, Geometry, Point, Position } from 'geojson';

/** Where to write each country's name: the centre of gravity of its largest part. `size` in square degrees ranks them. */
export function labelCountries(
  countries: readonly Feature<Geometry, { name: string }>[],
): FeatureCollection<Point, { name: string; size: number }> {
  return {
    type: 'FeatureCollection',
    features: countries.flatMap(({ geometry, properties }) => {
      const largest = outerRings(geometry)
        .map(weigh)
        .sort((one, other) => other.size - one.size)[0];
      if (largest === undefined || !(largest.size > 0)) return [];
      const { centre, size } = largest;
      return [
        {
          type: 'Feature' as const,
          geometry: { type: 'Point' as const, coordinates: centre },
          properties: { name: properties.name, size },
        },
      ];
    }),
  };
}

function outerRings(geometry: Geometry): Position[][] {
  if (geometry.type === 'Polygon') return geometry.coordinates.slice(0, 1);
  if (geometry.type === 'MultiPolygon') return geometry.coordinates.flatMap((polygon) => polygon.slice(0, 1));
  return [];
}

/** Shoelace formula: area and centre of gravity of one ring. */
function weigh(ring: readonly Position[]): { size: number; centre: Position } {
  let area = 0;
  let x = 0;
  let y = 0;
  for (let index = 1; index < ring.length; index += 1) {
    const [fromX = 0, fromY = 0] = ring[index - 1] ?? [];
    const [toX = 0, toY = 0] = ring[index] ?? [];
    const cross = fromX * toY - toX * fromY;
    area += cross / 2;
    x += (fromX + toX) * cross;
    y += (fromY + toY) * cross;
  }
  return { size: Math.abs(area), centre: [x / (6 * area), y / (6 * area)] };
}
