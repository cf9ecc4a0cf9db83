import type { Readable } from 'node:stream';
import { TrackQuerySchema, TrackReplySchema, TripParamsSchema } from '@hushryd/contracts/http/trips';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { TrackReader } from '@hushryd/tracking/history/read-track';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { mayReadTrip } from '@hushryd/tracking/trip-access/access-rules';
import Type from 'typebox';
import type { ApiServer } from '../api-server.ts';
import { pickMediaType } from '../plugins/check-accept.ts';
import { withinDeadline } from '../within-deadline.ts';
import type { AuditReading } from './audit-reading.ts';
import { exportTrack } from './export-track.ts';
import { toTrackFix } from './track-fix.ts';
import { type TrackFormat, trackFormats } from './track-formats.ts';

const formatsByMediaType = new Map<string, TrackFormat | 'json'>([
  ['application/json', 'json'],
  ...Object.entries(trackFormats).map(([format, { mediaType }]) => [mediaType, format as TrackFormat] as const),
]);
const mediaTypes = [...formatsByMediaType.keys()];

/** Streamed as it is read. */
const FileSchema = Type.Unsafe<Readable>({ type: 'string' });

/** `GET /v1/trips/:id/track`: pages of JSON, or the whole track as a file. */
export function addTrackRoutes(
  app: ApiServer,
  {
    access,
    track,
    audit,
    deadlineMs,
  }: { access: AccessCache; track: TrackReader; audit: AuditReading; deadlineMs: number },
): void {
  app.get(
    '/v1/trips/:id/track',
    {
      // A long file may take long to send; what is asked of the stores for it is bounded page by page.
      handlerTimeout: 20 * deadlineMs,
      config: { roles: ['driver', 'rider', 'operator'], produces: mediaTypes },
      schema: {
        tags: ['trips'],
        operationId: 'getTrack',
        summary: "A trip's fixes in order, each once",
        description:
          'JSON comes in pages. GeoJSON, GPX and CSV come as one file, by `format` or `Accept`; `limit` and `cursor` are for JSON.',
        params: TripParamsSchema,
        querystring: TrackQuerySchema,
        response: {
          200: {
            description: 'The track',
            content: {
              'application/json': { schema: TrackReplySchema },
              'application/geo+json': { schema: FileSchema },
              'application/gpx+xml': { schema: FileSchema },
              'text/csv': { schema: FileSchema },
            },
          },
        },
      },
    },
    async ({ identity, params, query, headers }, reply) => {
      const trip = await withinDeadline(access.load(params.id));
      if (trip === null || !mayReadTrip(identity, trip)) throw new AppError('not_found');
      audit(identity, trip, 'track');
      const { tripId, driverId } = trip;

      const format = query.format ?? formatOf(headers.accept);
      if (format === 'json') {
        const page = await track.readTrack({ tripId, driverId, limit: query.limit ?? 1000, cursor: query.cursor });
        return reply.send({
          tripId,
          fixes: page.fixes.map(toTrackFix),
          tail: page.tail,
          nextCursor: page.nextCursor,
        });
      }
      if (query.limit !== undefined || query.cursor !== undefined) {
        throw new AppError('request_invalid', { detail: `limit and cursor do not go with format ${format}` });
      }
      return reply
        .type(`${trackFormats[format].mediaType}; charset=utf-8`)
        .header('content-disposition', `attachment; filename="trip-${tripId}.${format}"`)
        .send(await exportTrack(track, { tripId, driverId, format }));
    },
  );
}

function formatOf(accept = '*/*'): TrackFormat | 'json' {
  return formatsByMediaType.get(pickMediaType(accept, mediaTypes) ?? 'application/json') ?? 'json';
}
