import { readFilterQuery } from '@hushryd/contracts/http/filter-query';
import {
  AlertParamsSchema,
  AlertSchema,
  alertStates,
  CancelAlertBodySchema,
  type ListAlertsQuery,
  ListAlertsQuerySchema,
  ListAlertsReplySchema,
  SeenAlertBodySchema,
  SosReplySchema,
  SosTriggerSchema,
} from '@hushryd/contracts/http/sos';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import type { AlertAccess } from '@hushryd/outreach/alerts/alert-access';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { isOwnAlert, mayHandleAlert } from '@hushryd/outreach/alerts/alert-rules';
import { cancelAlert } from '@hushryd/outreach/alerts/cancel-alert';
import { listAlerts } from '@hushryd/outreach/alerts/list-alerts';
import { showAlert, toSummary } from '@hushryd/outreach/alerts/show-alert';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { ApiServer } from '../api-server.ts';
import { NoContentSchema } from '../no-content.ts';
import type { SosParts } from './open-sos.ts';

const tags = ['sos'];
const everyone = ['driver', 'rider', 'operator'] as const;
const staff = ['operator'] as const;

/** Calling for help, and what became of it. What the staff do about it: staff-routes.ts. */
export function addSosRoutes(
  app: ApiServer,
  { store, takePress, raiseSos, work, show, dispatch, direct, alertAccess }: SosParts & { alertAccess: AlertAccess },
): void {
  app.post(
    '/v1/sos',
    {
      config: { roles: everyone, ownDeadline: true, takesExpiredToken: true },
      schema: {
        tags,
        operationId: 'raiseSos',
        summary: 'Call for help',
        description:
          'The phone makes `alertId` once, when the button is pressed, and sends the same until it is answered: however often and by ' +
          'whichever way, it is one alert. 201: a majority of the database has it. 202: it is held by less, and the ' +
          'node that took it tells everybody by itself. 503: nobody holds it, send it again after a second. It is never refused for its rate, needs no trip, and a genuine ' +
          'token that ran out less than a day ago will do. A press while the person has an open alert joins that one. Of the body only `alertId` has to ' +
          'be right: what else does not fit is left out.',
        body: SosTriggerSchema,
        response: { 201: SosReplySchema, 202: SosReplySchema },
      },
      preValidation: async (request) => {
        request.body = takePress(request.body, request.id) ?? request.body;
      },
    },
    async ({ id: correlationId, identity, isTokenExpired, body }, reply) => {
      const press = { identity, trigger: body, isTokenExpired, via: 'https', correlationId } as const;
      const answer = await raiseSos.raise(press);
      return reply
        .code(answer.durability === 'majority' ? 201 : 202)
        .header('location', `/v1/sos/${answer.alertId}`)
        .send(answer);
    },
  );

  app.get(
    '/v1/sos',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'listAlerts',
        summary: 'Alerts, open ones first, then the newest',
        description:
          '`bbox`, `states` and `text` are the filter of `admin:sos`: all that is given has to fit; an alert without a place fits every ' +
          'box. The place is that of the newest press; `text` is part of the id of the alert, the person or the trip. One page is looked ' +
          'for among 2,000 alerts: it may be short, or empty, and have a `nextCursor`.',
        querystring: ListAlertsQuerySchema,
        response: { 200: ListAlertsReplySchema },
      },
    },
    async ({ query }) => {
      const { drills, limit = 50, cursor } = query;
      const { alerts, nextCursor } = await listAlerts(store, {
        filter: readFilter(query),
        limit,
        ...(drills !== undefined && { drills }),
        ...(cursor !== undefined && { cursor }),
      });
      return { alerts: alerts.map((alert) => toSummary(alert, show)), nextCursor };
    },
  );

  app.get(
    '/v1/sos/:id',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'getAlert',
        summary: 'One alert, by the id of any press that counts for it',
        params: AlertParamsSchema,
        response: { 200: AlertSchema },
      },
    },
    async ({ identity, params }) => {
      // What this node sends by itself it can show too.
      const own = direct.find(params.id);
      const stored = await store.find(params.id).catch((error: unknown) => {
        if (own === undefined) throw error;
        return null;
      });
      const alert = stored ?? own ?? null;
      const reader = alert === null ? undefined : await alertAccess.readerOf(identity, alert);
      if (alert === null || reader === undefined) throw new AppError('not_found');
      return showAlert(reader, alert, show);
    },
  );

  app.post(
    '/v1/sos/:id/seen',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'seenAlert',
        summary: 'The app has shown a push about an alert',
        description:
          'By `alertId` and `attempt_id` of the push, by whoever it went to. This is what counts as its delivery. Send it again where the ' +
          'answer does not come.',
        params: AlertParamsSchema,
        body: SeenAlertBodySchema,
        response: { 204: NoContentSchema },
      },
    },
    async ({ identity, params, body }, reply) => {
      const seen = { alertId: params.id, attemptId: body.attemptId, personId: identity.userId };
      // What this node sends by itself the database does not know.
      if (!(await direct.markSeen(seen)) && !(await dispatch.markSeen(seen))) throw new AppError('not_found');
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/sos/:id/cancel',
    {
      config: { roles: everyone },
      schema: {
        tags,
        operationId: 'cancelAlert',
        summary: 'End an alert of one’s own by PIN',
        description:
          '403 `sos_pin_refused`: not the PIN, or set or changed after the alert was raised; an operator can end it.',
        params: AlertParamsSchema,
        body: CancelAlertBodySchema,
        response: { 200: AlertSchema },
      },
    },
    async ({ identity, params, body }) => {
      const alert = await cancelAlert(work, {
        alertId: params.id,
        by: identity.userId,
        pin: body.pin,
        authorise(known: AlertDocument) {
          if (isOwnAlert(identity, known)) return;
          throw new AppError(mayHandleAlert(identity) ? 'forbidden' : 'not_found');
        },
      });
      // As the person's devices show it, also where that is a member of the staff: somebody may be looking over the shoulder.
      return showAlert('person', alert, show);
    },
  );
}

function readFilter({ state, ...query }: ListAlertsQuery): TopicFilter {
  if (state !== undefined && query.states !== undefined) {
    throw new AppError('request_invalid', { detail: 'state, states: send one of both' });
  }
  const read = readFilterQuery(state === undefined ? query : { ...query, states: state }, alertStates);
  if ('problem' in read) throw new AppError('request_invalid', { detail: read.problem });
  return read.filter;
}
