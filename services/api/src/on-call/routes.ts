import {
  OnCallQuerySchema,
  type OnCallReply,
  OnCallReplySchema,
  OverrideParamsSchema,
  PutOnCallBodySchema,
  PutOverrideBodySchema,
} from '@hushryd/contracts/http/on-call';
import { maskEmail, maskPhone } from '@hushryd/outreach/people/mask-address';
import type { PersonSeal, Rota } from '@hushryd/outreach/people/on-call/on-call-document';
import type { OnCallRota } from '@hushryd/outreach/people/on-call/on-call-rota';
import { whoIsOnCall } from '@hushryd/outreach/people/on-call/who-is-on-call';
import { mayManageOnCall } from '@hushryd/outreach/people/people-rules';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { ApiServer } from '../api-server.ts';
import type { AuditOrder } from '../audit-order.ts';

const tags = ['on-call'];
const staff = ['operator'] as const;

/** Who is called when an alert is not answered. Every change is written down before it is carried out. */
export function addOnCallRoutes(
  app: ApiServer,
  { onCall, personSeal, now, log }: { onCall: OnCallRota; personSeal: PersonSeal; now: () => number; log: Logger },
  auditOrder: AuditOrder,
): void {
  app.get(
    '/v1/on-call',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'getOnCall',
        summary: 'The rota, and who is called now or at another time',
        querystring: OnCallQuerySchema,
        response: { 200: OnCallReplySchema },
      },
    },
    async ({ identity, query }) => {
      if (!mayManageOnCall(identity)) throw new AppError('forbidden');
      const atMs = query.at === undefined ? now() : Date.parse(query.at);
      const shown = toReply(personSeal, await onCall.read(), atMs);
      const lost = shown.people.filter(({ isUnreadable }) => isUnreadable);
      if (lost.length > 0) {
        const personIds = lost.map(({ personId }) => personId);
        log.error({ personIds }, 'people on the rota are not readable and cannot be called');
      }
      return shown;
    },
  );

  app.put(
    '/v1/on-call',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'putOnCall',
        summary: 'Replace the rota',
        description:
          'On condition of the version that was read. Overrides stay, those that are over go. Numbers of people who are on it already may ' +
          'be left out, unless they are unreadable.',
        body: PutOnCallBodySchema,
        response: { 200: OnCallReplySchema },
      },
    },
    async ({ identity, body }) => {
      if (!mayManageOnCall(identity)) throw new AppError('forbidden');
      auditOrder(identity, { action: 'put_on_call', version: body.version });
      return toReply(personSeal, await onCall.put(body), now());
    },
  );

  app.put(
    '/v1/on-call/overrides/:overrideId',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'putOnCallOverride',
        summary: 'Call somebody else for a while',
        params: OverrideParamsSchema,
        body: PutOverrideBodySchema,
        response: { 200: OnCallReplySchema },
      },
    },
    async ({ identity, params, body }) => {
      if (!mayManageOnCall(identity)) throw new AppError('forbidden');
      auditOrder(identity, { action: 'put_on_call_override', overrideId: params.overrideId });
      return toReply(personSeal, await onCall.putOverride(params.overrideId, body), now());
    },
  );

  app.delete(
    '/v1/on-call/overrides/:overrideId',
    {
      config: { roles: staff },
      schema: {
        tags,
        operationId: 'removeOnCallOverride',
        summary: 'End an override',
        params: OverrideParamsSchema,
        response: { 200: OnCallReplySchema },
      },
    },
    async ({ identity, params }) => {
      if (!mayManageOnCall(identity)) throw new AppError('forbidden');
      auditOrder(identity, { action: 'remove_on_call_override', overrideId: params.overrideId });
      return toReply(personSeal, await onCall.removeOverride(params.overrideId), now());
    },
  );
}

function toReply(seal: PersonSeal, rota: Rota, atMs: number): OnCallReply {
  return {
    version: rota.version,
    timeZone: rota.timeZone,
    people: rota.people.map(seal.show).map(({ phone, email, ...person }) => ({
      ...person,
      ...(phone !== undefined && { phone: maskPhone(phone) }),
      ...(email !== undefined && { email: maskEmail(email) }),
    })),
    levels: rota.levels,
    overrides: rota.overrides,
    at: new Date(atMs).toISOString(),
    onCall: whoIsOnCall(rota, atMs),
  };
}
