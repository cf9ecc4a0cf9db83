import {
  AlertNoteBodySchema,
  AlertParamsSchema,
  AlertSchema,
  CallPersonBodySchema,
  ClaimAlertBodySchema,
  CloseAlertBodySchema,
  SosReplySchema,
} from '@hushryd/contracts/http/sos';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { mayHandleAlert } from '@hushryd/outreach/alerts/alert-rules';
import type { AlertOrder } from '@hushryd/outreach/alerts/change-alert';
import { acknowledgeAlert, claimAlert, closeAlert, noteAlert } from '@hushryd/outreach/alerts/handle-alert';
import { showAlert } from '@hushryd/outreach/alerts/show-alert';
import { callPerson } from '@hushryd/outreach/dispatch/call-person';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { ApiServer } from '../api-server.ts';
import { NoBodySchema } from '../no-body.ts';
import type { SosParts } from './open-sos.ts';

const tags = ['sos'];
const config = { roles: ['operator'] } as const;
const params = AlertParamsSchema;
const response = { 200: AlertSchema };

/** What the staff do about an alert: who takes it, what was said, how it ended. */
export function addSosStaffRoutes(
  app: ApiServer,
  { work, show, direct }: Pick<SosParts, 'work' | 'show' | 'direct'>,
): void {
  app.post(
    '/v1/sos/:id/acknowledge',
    {
      config,
      schema: {
        tags,
        operationId: 'acknowledgeAlert',
        summary: 'A person takes care: the escalation stops',
        description:
          'One of several wins; the others get 409 `sos_taken`, whose `detail` says who it was. 202: the database does not answer; the ' +
          'node that sends the alert calls nobody any more, and the database hears of it as soon as it is back.',
        params,
        body: NoBodySchema,
        response: { ...response, 202: SosReplySchema },
      },
    },
    async ({ identity, params: { id } }, reply) => {
      try {
        return await showAlert('staff', await acknowledgeAlert(work, toOrder(identity, id)), show);
      } catch (error) {
        if (!isUnknownToDatabase(error, direct.find(id))) throw error;
        const { acceptedAt } = await direct.acknowledge(id, identity.userId);
        reply.code(202);
        return { alertId: id, durability: 'local' as const, state: 'acknowledged' as const, acceptedAt };
      }
    },
  );

  app.post(
    '/v1/sos/:id/claim',
    {
      config,
      schema: {
        tags,
        operationId: 'claimAlert',
        summary: 'Work on an alert, or take it over',
        description: 'The escalation goes on until somebody acknowledges. 409 `sos_taken` says who has it.',
        params,
        body: ClaimAlertBodySchema,
        response,
      },
    },
    async ({ identity, params: { id }, body }) => {
      const order = { ...toOrder(identity, id), takeOver: body.takeOver ?? false };
      return showAlert('staff', await claimAlert(work, order), show);
    },
  );

  app.post(
    '/v1/sos/:id/note',
    {
      config,
      schema: {
        tags,
        operationId: 'noteAlert',
        summary: 'Write something down',
        params,
        body: AlertNoteBodySchema,
        response,
      },
    },
    async ({ identity, params: { id }, body }) =>
      showAlert('staff', await noteAlert(work, { ...toOrder(identity, id), ...body }), show),
  );

  app.post(
    '/v1/sos/:id/call',
    {
      config,
      schema: {
        tags,
        operationId: 'callPerson',
        summary: 'Have the person called who raised the alert',
        description:
          'On the own verified number, which nobody gets to see; 409 `sos_phone_unknown` where there is none.',
        params,
        body: CallPersonBodySchema,
        response,
      },
    },
    async ({ identity, params: { id }, body }) =>
      showAlert('staff', await callPerson(work, { ...toOrder(identity, id), callId: body.callId }), show),
  );

  const endings = [
    { path: 'resolve', operationId: 'resolveAlert', summary: 'The person was helped', state: 'resolved' },
    { path: 'false-alarm', operationId: 'dismissAlert', summary: 'Nothing was wrong', state: 'false_alarm' },
  ] as const;
  for (const { path, operationId, summary, state } of endings) {
    app.post(
      `/v1/sos/:id/${path}`,
      { config, schema: { tags, operationId, summary, params, body: CloseAlertBodySchema, response } },
      async ({ identity, params: { id }, body }) => {
        const order = { ...toOrder(identity, id), state, reason: body.reason };
        return showAlert('staff', await closeAlert(work, order), show);
      },
    );
  }
}

/** It does not answer, or does not have an alert yet that this node sends. */
function isUnknownToDatabase(error: unknown, own: AlertDocument | undefined): boolean {
  if (!(error instanceof AppError)) return false;
  return error.code === 'database_unavailable' || (error.code === 'not_found' && own !== undefined);
}

function toOrder(identity: Identity, alertId: string): AlertOrder {
  return {
    alertId,
    by: identity.userId,
    authorise() {
      if (!mayHandleAlert(identity)) throw new AppError('forbidden');
    },
  };
}
