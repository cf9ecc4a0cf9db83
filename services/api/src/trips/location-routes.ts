import { LocationQuerySchema, LocationReplySchema, TripParamsSchema } from '@hushryd/contracts/http/trips';
import type { ApiServer } from '../api-server.ts';
import { NotModifiedSchema, toLocationReply } from '../location-reply.ts';
import type { createGetLocation } from './get-location.ts';

/** `GET /v1/trips/:id/location`: for whoever cannot hold a websocket. */
export function addLocationRoutes(app: ApiServer, getLocation: ReturnType<typeof createGetLocation>): void {
  app.get(
    '/v1/trips/:id/location',
    {
      config: { roles: ['driver', 'rider', 'operator'], ownDeadline: true },
      schema: {
        tags: ['trips'],
        operationId: 'getTripLocation',
        summary: 'Where a trip is',
        description:
          'Send `If-None-Match` with the `ETag` of the answer before: 304 says that nothing has changed since. With `waitSeconds` ' +
          'that answer is held back until the position changes, or the time is over.',
        params: TripParamsSchema,
        querystring: LocationQuerySchema,
        response: { 200: LocationReplySchema, 304: NotModifiedSchema },
      },
      // The reply is built field by field; the schema's `or null` would be checked at run time by a compiled serializer.
      serializerCompiler: () => JSON.stringify,
    },
    async (request, reply) => {
      const { position, etag, isUnchanged } = await getLocation({
        identity: request.identity,
        tripId: request.params.id,
        ifNoneMatch: request.headers['if-none-match'],
        waitMs: (request.query.waitSeconds ?? 0) * 1000,
        signal: () => request.signal,
      });
      reply.header('etag', etag);
      if (isUnchanged) return reply.code(304).send(undefined);
      return toLocationReply(position, Date.now());
    },
  );
}
