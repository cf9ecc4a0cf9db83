import { RaiseDrillBodySchema, SosReplySchema } from '@hushryd/contracts/http/sos';
import type { ApiServer } from '../api-server.ts';
import type { DrillParts } from './open-drills.ts';

/** Trying out whom a call for help would reach. */
export function addDrillRoutes(app: ApiServer, { raiseDrill }: Pick<DrillParts, 'raiseDrill'>): void {
  app.post(
    '/v1/sos/drill',
    {
      config: { roles: ['driver', 'rider'], ownDeadline: true },
      schema: {
        tags: ['sos'],
        operationId: 'raiseDrill',
        summary: 'Try out whom a call for help would reach',
        description:
          'My emergency contacts are told on all their channels, in words that say that it is an exercise. Nobody on call is paged, no ' +
          'incident is opened, and a real call for help meanwhile is one of its own. `GET /v1/sos/{id}` shows whom it reached; it ends by ' +
          'itself. Three an hour and ten a day, else 429 `drill_limit`; sent again with the same `alertId` it is the same drill.',
        body: RaiseDrillBodySchema,
        response: { 201: SosReplySchema, 202: SosReplySchema },
      },
    },
    async ({ id: correlationId, identity, body: { alertId } }, reply) => {
      const answer = await raiseDrill({ identity, alertId, correlationId });
      return reply
        .code(answer.durability === 'majority' ? 201 : 202)
        .header('location', `/v1/sos/${answer.alertId}`)
        .send(answer);
    },
  );
}
