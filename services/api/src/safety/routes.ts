import { PutSafetyBodySchema, SafetyReplySchema } from '@hushryd/contracts/http/safety';
import { UserParamsSchema } from '@hushryd/contracts/http/sessions';
import { CheckCodeBodySchema, SendCodeBodySchema, SendCodeReplySchema } from '@hushryd/contracts/person';
import { mayRemovePins } from '@hushryd/outreach/people/people-rules';
import type { SafetySettings } from '@hushryd/outreach/people/safety/safety-settings';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { ApiServer } from '../api-server.ts';
import type { AuditOrder } from '../audit-order.ts';
import { toCodeReply } from '../code-reply.ts';
import { NoContentSchema } from '../no-content.ts';

const tags = ['safety'];
const riders = ['driver', 'rider'] as const;

/** What a person sets for an emergency. */
export function addSafetyRoutes(app: ApiServer, { safety }: { safety: SafetySettings }, auditOrder: AuditOrder): void {
  app.get(
    '/v1/users/me/safety',
    {
      config: { roles: riders },
      schema: {
        tags,
        operationId: 'getSafety',
        summary: 'My settings for an emergency',
        response: { 200: SafetyReplySchema },
      },
    },
    ({ identity }) => safety.read(identity.userId),
  );

  app.put(
    '/v1/users/me/safety',
    {
      config: { roles: riders },
      schema: {
        tags,
        operationId: 'putSafety',
        summary: 'Set PINs, language and number',
        description:
          'What is left out stays. PINs that are there change only with the current cancel PIN; after five wrong ones, here or on an ' +
          'alert, only an operator can help.',
        body: PutSafetyBodySchema,
        response: { 200: SafetyReplySchema },
      },
    },
    ({ identity, body }) => safety.put(identity.userId, body),
  );

  app.post(
    '/v1/users/me/safety/codes',
    {
      config: { roles: riders },
      schema: {
        tags,
        operationId: 'sendSafetyCode',
        summary: 'Send a code to my own number',
        body: SendCodeBodySchema,
        response: { 202: SendCodeReplySchema },
      },
    },
    async ({ id: correlationId, identity, body }, reply) => {
      const sent = await safety.sendCode(identity.userId, { channel: body.channel, correlationId });
      return reply.code(202).send(toCodeReply(body.channel, sent));
    },
  );

  app.post(
    '/v1/users/me/safety/codes/check',
    {
      config: { roles: riders },
      schema: {
        tags,
        operationId: 'checkSafetyCode',
        summary: 'Verify my own number by the code that was sent',
        body: CheckCodeBodySchema,
        response: { 200: SafetyReplySchema },
      },
    },
    ({ identity, body }) => safety.checkCode(identity.userId, body.code),
  );

  app.delete(
    '/v1/users/:id/safety/pins',
    {
      config: { roles: ['operator'] },
      schema: {
        tags,
        operationId: 'removePins',
        summary: "Take a user's PINs away",
        description: 'Where they were forgotten, or too many were wrong. The user sets new ones.',
        params: UserParamsSchema,
        response: { 204: NoContentSchema },
      },
    },
    async ({ identity, params }, reply) => {
      if (!mayRemovePins(identity)) throw new AppError('forbidden');
      auditOrder(identity, { action: 'remove_pins', targetUserId: params.id });
      await safety.removePins(params.id);
      return reply.code(204).send(null);
    },
  );
}
