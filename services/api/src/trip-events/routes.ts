import type { Readable } from 'node:stream';
import { TripParamsSchema } from '@hushryd/contracts/http/trips';
import { eventIdPattern, parseEventId } from '@hushryd/contracts/realtime/event-id';
import Type from 'typebox';
import type { ApiServer } from '../api-server.ts';
import type { TripStreams } from './trip-streams.ts';

const mediaType = 'text/event-stream';

const StreamHeadersSchema = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ pattern: eventIdPattern, description: '`id` of the last event that was seen: `epoch:offset`' }),
  ),
});

const StreamQuerySchema = Type.Object(
  {
    waitSeconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 30, description: 'end with the first news, or after this time' }),
    ),
    known: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,16}-[0-9]{1,10}-[a-z_]{1,20}$',
        description: '`run-seq-state` of the position that is known: it is no news',
      }),
    ),
  },
  { additionalProperties: false },
);

/** `GET /v1/trips/:id/events`: what a websocket would say of a trip, for whoever cannot hold one. */
export function addTripEventRoutes(app: ApiServer, streams: TripStreams): void {
  app.get(
    '/v1/trips/:id/events',
    {
      // A HEAD would hold a stream that nobody reads.
      exposeHeadRoute: false,
      config: { roles: ['driver', 'rider', 'operator'], produces: [mediaType], ownDeadline: true },
      schema: {
        tags: ['trips'],
        operationId: 'streamTripEvents',
        summary: 'Follow a trip by server-sent events',
        description:
          'The frames of the realtime protocol for `trip:{id}` as server-sent events: `event` is the type of the frame, `data` the ' +
          'frame as JSON. `id` is there on what moves the place in the event log; send the last one as `Last-Event-ID` and all that ' +
          'was missed is told, or, with `recovered: false`, that it is gone for good. The stream ends with the token, after ' +
          '`unsubscribed` when the trip may not be watched any longer, and after `draining` when the node shuts down. A comment ' +
          'comes at least every 10 s. Who cannot read an answer before it is complete polls with `waitSeconds`.',
        params: TripParamsSchema,
        querystring: StreamQuerySchema,
        headers: StreamHeadersSchema,
        response: {
          200: {
            description: 'Frames, as they come',
            content: { [mediaType]: { schema: Type.Unsafe<Readable>({ type: 'string' }) } },
          },
        },
      },
    },
    async ({ identity, params, query, headers }, reply) => {
      const lastId = headers['last-event-id'];
      const body = await streams.open({
        identity,
        tripId: params.id,
        seen: lastId === undefined ? undefined : parseEventId(lastId),
        poll: query.waitSeconds === undefined ? undefined : { waitMs: query.waitSeconds * 1000, known: query.known },
      });
      // What stands between must neither keep frames back nor keep them at all.
      reply.header('content-type', mediaType).header('cache-control', 'no-store').header('x-accel-buffering', 'no');
      return reply.send(body);
    },
  );
}
