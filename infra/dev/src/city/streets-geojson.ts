import type { City } from './generate-city.ts';
import type { Point } from './polyline.ts';
import type { StreetClass } from './street-network.ts';

/** GeoJSON of the city: streets (`class`: street, avenue, ring, bridge) and the river (`class`: river), all LineStrings. */
export interface StreetsGeoJson {
  readonly type: 'FeatureCollection';
  readonly features: {
    readonly type: 'Feature';
    readonly geometry: { readonly type: 'LineString'; readonly coordinates: [number, number][] };
    readonly properties: { readonly class: StreetClass | 'river' };
  }[];
}

export function streetsGeoJson(city: City): StreetsGeoJson {
  const feature = (line: readonly Point[], kind: StreetClass | 'river') => ({
    type: 'Feature' as const,
    geometry: {
      type: 'LineString' as const,
      coordinates: line.map((point): [number, number] => {
        const { lat, lng } = city.plane.toLatLng(point);
        return [lng, lat];
      }),
    },
    properties: { class: kind },
  });
  return {
    type: 'FeatureCollection',
    features: [
      feature(city.river, 'river'),
      ...city.network.streets.map((street) => feature(street.shape, street.class)),
    ],
  };
}
