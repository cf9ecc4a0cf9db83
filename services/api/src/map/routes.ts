import { RoadsQuerySchema, RoadsReplySchema } from '@hushryd/contracts/http/map';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { BoundingBox, RoadStore } from '@hushryd/tracking/history/road-store';
import type { ApiServer } from '../api-server.ts';

/** What the operators' map is drawn from. */
export function addMapRoutes(app: ApiServer, roads: Pick<RoadStore, 'read'>): void {
  app.get(
    '/v1/map/roads',
    {
      config: { roles: ['operator'] },
      schema: {
        tags: ['map'],
        operationId: 'getRoads',
        summary: 'Travelled roads in a box, busiest first',
        description: 'Where has been driven and how often: no driver, no time.',
        querystring: RoadsQuerySchema,
        response: { 200: RoadsReplySchema },
      },
      // Thousands of coordinates from our own store: checking each while writing took most of the time.
      serializerCompiler: () => JSON.stringify,
    },
    async ({ query }) => {
      const found = await roads.read({ ...readBox(query.bbox), limit: query.limit ?? 5_000 });
      return {
        type: 'FeatureCollection' as const,
        features: found.map(({ coordinates, passes }) => ({
          type: 'Feature' as const,
          geometry: { type: 'LineString' as const, coordinates },
          properties: { passes },
        })),
      };
    },
  );
}

/** A polygon's edges are great circles: a wider box would no longer be one, and that of the whole world is empty. */
const maxBoxDegrees = 10;

function readBox(bbox: string): BoundingBox {
  const [west = 0, south = 0, east = 0, north = 0] = bbox.split(',').map(Number);
  const isBox = west >= -180 && east <= 180 && west < east && south >= -90 && north <= 90 && south < north;
  if (!isBox) throw new AppError('request_invalid', { detail: 'bbox must be west,south,east,north in degrees' });
  if (east - west > maxBoxDegrees || north - south > maxBoxDegrees) {
    throw new AppError('request_invalid', {
      detail: `bbox may be ${maxBoxDegrees} degrees wide and high at most: ask for a smaller one, or for several`,
    });
  }
  return { west, south, east, north };
}
