import { SignOutUserBodySchema, UserParamsSchema } from '@hushryd/contracts/http/sessions';
import { type SignOutWork, signOut, signOutEverywhere } from '@hushryd/rides/people/sign-out';
import type { ApiServer } from '../api-server.ts';
import type { AuditOrder } from '../audit-order.ts';
import { NoBodySchema } from '../no-body.ts';
import { NoContentSchema } from '../no-content.ts';

/** Ending sessions before their tokens run out. Sockets on every node end within seconds. */
export function addSessionRoutes(app: ApiServer, work: SignOutWork, auditOrder: AuditOrder): void {
  app.post(
    '/v1/session/sign-out',
    {
      config: { roles: ['driver', 'rider', 'operator'] },
      schema: {
        tags: ['sessions'],
        operationId: 'signOut',
        summary: 'End this session',
        description:
          'The tokens of this session are refused from here on, that of this request and all with the same `sid`, and its sockets are ' +
          'closed within seconds with 4501, whichever of these tokens they have. Without `sid` it is the token of this request alone. Other ' +
          'sessions of the user go on; after more than 50 sign-outs within a quarter of an hour their apps fetch a new token first.',
        body: NoBodySchema,
        response: { 204: NoContentSchema },
      },
    },
    async ({ identity }, reply) => {
      await signOut(work, identity);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/users/:id/sign-out',
    {
      config: { roles: ['operator'] },
      schema: {
        tags: ['sessions'],
        operationId: 'signOutUser',
        summary: 'End all sessions of a user',
        description:
          'Every token issued to the user until now is refused, and so are those issued in this very second. With the reason ' +
          '`role_changed` the apps fetch a new one and come back by themselves, otherwise they stay signed out.',
        params: UserParamsSchema,
        body: SignOutUserBodySchema,
        response: { 204: NoContentSchema },
      },
    },
    async ({ identity, params, body }, reply) => {
      const reason = body.reason ?? 'signed_out';
      auditOrder(identity, { action: 'sign_out', targetUserId: params.id, reason });
      await signOutEverywhere(work, { userId: params.id, reason });
      return reply.code(204).send(null);
    },
  );
}
