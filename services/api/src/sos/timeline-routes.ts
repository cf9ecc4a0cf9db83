import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { AlertParamsSchema } from '@hushryd/contracts/http/sos';
import { AlertExportSchema, TimelineQuerySchema, TimelineReplySchema } from '@hushryd/contracts/http/timeline';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { appendFacts } from '@hushryd/outreach/alerts/append-facts';
import { type ShowParts, toSummary } from '@hushryd/outreach/alerts/show-alert';
import { awaitSeal } from '@hushryd/outreach/timeline/await-seal';
import { exportTimeline } from '@hushryd/outreach/timeline/export-timeline';
import { pageTimeline } from '@hushryd/outreach/timeline/page-timeline';
import { countFacts } from '@hushryd/outreach/timeline/read-timeline';
import { AppError } from '@hushryd/platform/errors/app-error';
import Type from 'typebox';
import type { ApiServer } from '../api-server.ts';
import { gpx } from '../gpx.ts';
import type { TimelineParts } from './open-timeline.ts';
import { type ReadTrail, writeTrail } from './write-trail.ts';

const tags = ['sos'];
const roles = ['operator'] as const;
const params = AlertParamsSchema;
const sealWithinMs = 5_000;

/** Everything that happened to an alert: to be read, and to be taken along as evidence. */
export function addTimelineRoutes(
  app: ApiServer,
  {
    alerts,
    timeline,
    sealer,
    show,
    readTrail,
    deadlineMs,
  }: TimelineParts & { show: ShowParts; readTrail: ReadTrail; deadlineMs: number },
): void {
  app.get(
    '/v1/sos/:id/timeline',
    {
      config: { roles },
      schema: {
        tags,
        operationId: 'getTimeline',
        summary: 'Everything that happened to an alert, in order',
        description: 'Facts are sealed into a chain of hashes within seconds; `isSealed` says which are.',
        params,
        querystring: TimelineQuerySchema,
        response: { 200: TimelineReplySchema },
      },
    },
    async ({ params: { id }, query: { limit = 200, cursor } }) => {
      const alert = await alerts.find(id);
      if (alert === null) throw new AppError('not_found');
      return pageTimeline({ timeline, sealer: show.sealer }, alert, { limit, cursor });
    },
  );

  // A long file may take long to send; what is asked of the database for it is bounded page by page.
  const handlerTimeout = 20 * deadlineMs;

  app.get(
    '/v1/sos/:id/export',
    {
      handlerTimeout,
      config: { roles },
      schema: {
        tags,
        operationId: 'exportAlert',
        summary: 'The sealed timeline of an alert as a file',
        description:
          'Whoever has the file can verify it without us: `npm run verify-timeline -- FILE`. Reading it is a fact of the alert too, and its ' +
          'last one. 503 `timeline_not_sealed`: it could not be sealed in time.',
        params,
        response: { 200: Type.Unsafe<Readable>(AlertExportSchema) },
      },
    },
    async ({ identity, params: { id } }, reply) => {
      const alert = await noteExport(id, identity.userId, 'json');
      const alertId = alert._id;
      const head = await awaitSeal(
        { sealer, store: alerts },
        { alertId, seq: countFacts(alert), withinMs: sealWithinMs },
      );
      const file = exportTimeline(timeline, {
        alert: toSummary(alert, show),
        personId: alert.person.userId,
        head,
        by: identity.userId,
        at: new Date(),
        sealer: show.sealer,
      });
      return reply
        .type('application/json; charset=utf-8')
        .header('content-disposition', `attachment; filename="alert-${alertId}.json"`)
        .send(Readable.from(file, { objectMode: false }));
    },
  );

  app.get(
    '/v1/sos/:id/export.gpx',
    {
      handlerTimeout,
      config: { roles, produces: [gpx.mediaType] },
      schema: {
        tags,
        operationId: 'exportAlertTrail',
        summary: 'Where the person and the trip were during an alert, as GPX 1.1',
        description: 'Presses of the button as waypoints, a track a phone. Reading it is a fact of the alert.',
        params,
        response: {
          200: {
            description: 'The trail',
            content: { [gpx.mediaType]: { schema: Type.Unsafe<Readable>({ type: 'string' }) } },
          },
        },
      },
    },
    async ({ identity, params: { id } }, reply) => {
      const alert = await noteExport(id, identity.userId, 'gpx');
      return reply
        .type(`${gpx.mediaType}; charset=utf-8`)
        .header('content-disposition', `attachment; filename="alert-${alert._id}.gpx"`)
        .send(await writeTrail({ timeline, readTrail }, alert));
    },
  );

  /** Before anything is sent: nobody takes a copy along of which nobody knows. */
  async function noteExport(id: string, by: string, format: 'json' | 'gpx'): Promise<AlertDocument> {
    const fact = { factId: `exported-${randomUUID()}`, kind: 'exported', by, data: { format } };
    const known = await alerts.find(id);
    const alert = known && (await alerts.changeIf({ _id: known._id }, [{ $set: appendFacts([{ fact }]) }]));
    if (!alert) throw new AppError('not_found');
    return alert;
  }
}
