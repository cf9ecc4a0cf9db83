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
import type { ApiServer } from '../api-server.ts';
import type { AuditOrder } from '../audit-order.ts';

const tags = ['on-call'];
const staff = ['operator'] as const;

/** Who is called when an alert is not answered. Every change is written down before it is carried out. */
export function addOnCallRoutes(
  app: ApiServer,
  { onCall, personSeal }: { onCall: OnCallRota; personSeal: PersonSeal },
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
      return toReply(personSeal, await onCall.read(), query.at === undefined ? Date.now() : Date.parse(query.at));
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
          'be left out.',
        body: PutOnCallBodySchema,
        response: { 200: OnCallReplySchema },
      },
    },
    async ({ identity, body }) => {
      if (!mayManageOnCall(identity)) throw new AppError('forbidden');
      auditOrder(identity, { action: 'put_on_call', version: body.version });
      return toReply(personSeal, await onCall.put(body), Date.now());
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
      return toReply(personSeal, await onCall.putOverride(params.overrideId, body), Date.now());
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
      return toReply(personSeal, await onCall.removeOverride(params.overrideId), Date.now());
    },
  );
}

function toReply(seal: PersonSeal, rota: Rota, atMs: number): OnCallReply {
  return {
    version: rota.version,
    timeZone: rota.timeZone,
    people: rota.people.map(seal.open).map(({ email, ...person }) => ({
      ...person,
      phone: maskPhone(person.phone),
      ...(email !== undefined && { email: maskEmail(email) }),
    })),
    levels: rota.levels,
    overrides: rota.overrides,
    at: new Date(atMs).toISOString(),
    onCall: whoIsOnCall(rota, atMs),
  };
}
