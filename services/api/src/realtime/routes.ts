import { TicketReplySchema } from '@hushryd/contracts/http/realtime';
import type { Tickets } from '@hushryd/platform/auth/tickets';
import type { ApiServer } from '../api-server.ts';
import { NoBodySchema } from '../no-body.ts';

/** Ways into the websocket for browsers. */
export function addRealtimeRoutes(app: ApiServer, tickets: Tickets): void {
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
}
