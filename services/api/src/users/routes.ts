import { randomUUID } from 'node:crypto';
import {
  ConnectionParamsSchema,
  ConnectionsReplySchema,
  NoticeReplySchema,
  PostNoticeBodySchema,
} from '@hushryd/contracts/http/realtime';
import { UserParamsSchema } from '@hushryd/contracts/http/sessions';
import type { RealtimeNodes } from '@hushryd/platform/nodes/realtime-nodes';
import type { PublishEvent } from '@hushryd/platform/topics/publish-event';
import Type from 'typebox';
import type { ApiServer } from '../api-server.ts';
import type { AuditOrder } from '../audit-order.ts';
import { NoContentSchema } from '../no-content.ts';
import type { EndConnection } from './end-connection.ts';
import { sendNotice } from './send-notice.ts';

const staff = ['operator'] as const;
const OrderedSchema = Type.Null({ description: 'Its node was told' });

/** What the company does with one person's devices: see them, end one, tell them something. */
export function addUserRoutes(
  app: ApiServer,
  {
    realtimeNodes,
    endConnection,
    publishEvent,
    auditOrder,
  }: {
    realtimeNodes: RealtimeNodes;
    endConnection: EndConnection;
    publishEvent: PublishEvent;
    auditOrder: AuditOrder;
  },
): void {
  app.get(
    '/v1/users/:id/connections',
    {
      config: { roles: staff },
      schema: {
        tags: ['realtime'],
        operationId: 'listConnections',
        summary: "A user's open sockets on all nodes",
        params: UserParamsSchema,
        response: { 200: ConnectionsReplySchema },
      },
    },
    async ({ params }) => {
      const sockets = await realtimeNodes.socketsOf(params.id);
      return {
        connections: sockets.map(({ connectionId, nodeId, tokenExpiresAtMs }) => ({
          connectionId,
          nodeId,
          tokenExpiresAt: new Date(tokenExpiresAtMs).toISOString(),
        })),
      };
    },
  );

  app.delete(
    '/v1/users/:id/connections/:connectionId',
    {
      config: { roles: staff },
      schema: {
        tags: ['realtime'],
        operationId: 'endConnection',
        summary: 'End one socket, on whichever node',
        description:
          'It is closed with 4502, and its app does not come back by itself. 204 comes when it is gone. 202 says that its node was told, ' +
          'but nobody knows of such a socket: one that was opened while Redis was away ends within seconds, one that had ended has. ' +
          '404: its node is not up, and neither is the socket.',
        params: ConnectionParamsSchema,
        response: { 202: OrderedSchema, 204: NoContentSchema },
      },
    },
    async ({ identity, params }, reply) => {
      const { id: userId, connectionId } = params;
      auditOrder(identity, { action: 'end_connection', targetUserId: userId, connectionId });
      const outcome = await endConnection({ userId, connectionId });
      return reply.code(outcome === 'gone' ? 204 : 202).send(null);
    },
  );

  app.post(
    '/v1/users/:id/notices',
    {
      config: { roles: staff },
      schema: {
        tags: ['realtime'],
        operationId: 'postNotice',
        summary: 'Tell one person something, on all of their devices',
        description:
          'An event `notice` on the topic `user:{id}`. Devices that are off line get it when they come back within an hour. Sent twice ' +
          'with one `noticeId` it arrives twice, and the app can tell.',
        params: UserParamsSchema,
        body: PostNoticeBodySchema,
        response: { 201: NoticeReplySchema },
      },
    },
    async ({ identity, params, body }, reply) => {
      const noticeId = body.noticeId ?? randomUUID();
      auditOrder(identity, { action: 'send_notice', targetUserId: params.id, noticeId });
      const sent = await sendNotice({ publishEvent }, { userId: params.id, ...body, noticeId });
      return reply.code(201).send(sent);
    },
  );
}
