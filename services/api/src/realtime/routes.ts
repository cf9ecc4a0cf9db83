import { RealtimeStatsReplySchema, TicketReplySchema } from '@hushryd/contracts/http/realtime';
import type { Tickets } from '@hushryd/platform/auth/tickets';
import type { RealtimeNodes } from '@hushryd/platform/nodes/realtime-nodes';
import type { ApiServer } from '../api-server.ts';
import { NoBodySchema } from '../no-body.ts';
import { sumStats } from './sum-stats.ts';

/** The way into the websocket for browsers, and what operators see of the realtime tier. */
export function addRealtimeRoutes(
  app: ApiServer,
  { tickets, realtimeNodes }: { tickets: Tickets; realtimeNodes: RealtimeNodes },
): void {
  app.post(
    '/v1/realtime/tickets',
    {
      config: { roles: ['driver', 'rider', 'operator'] },
      schema: {
        tags: ['realtime'],
        operationId: 'createTicket',
        summary: 'A single-use ticket for one websocket',
        description: 'Good for 30 seconds, for this user, and from the web origin that asked for it.',
        body: NoBodySchema,
        response: { 201: TicketReplySchema },
      },
    },
    async ({ identity, headers }, reply) => {
      const { ticket, expiresAtMs } = await tickets.issue({ identity, origin: headers.origin });
      return reply.code(201).send({ ticket, expiresAt: new Date(expiresAtMs).toISOString() });
    },
  );

  app.get(
    '/v1/realtime/stats',
    {
      config: { roles: ['operator'] },
      schema: {
        tags: ['realtime'],
        operationId: 'realtimeStats',
        summary: 'Connections on all nodes',
        description:
          'What each node said within the last seconds, and their sum. A node that was killed is gone after 10 seconds.',
        response: { 200: RealtimeStatsReplySchema },
      },
    },
    async () => {
      const nodes = await realtimeNodes.readStats();
      return { asOf: new Date().toISOString(), nodes, total: sumStats(nodes) };
    },
  );
}
