import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import { EpochMsSchema, IsoTimeSchema } from '../units.ts';

const closed = { additionalProperties: false };

/** `POST /v1/realtime/tickets`: a single-use ticket for browsers, which cannot set headers on a websocket. */
export const TicketReplySchema = Type.Object({ ticket: Type.String(), expiresAt: IsoTimeSchema }, closed);
export type TicketReply = Static<typeof TicketReplySchema>;

const CountSchema = Type.Integer({ minimum: 0 });
/** Topic kinds, close codes, classes: a count for each that occurred. */
const CountsSchema = Type.Record(Type.String(), CountSchema);

/** What a realtime node says of itself every few seconds. Counts of what happened begin with the node's start. */
export const NodeStatsSchema = Type.Object(
  {
    nodeId: Type.String(),
    startedAtMs: EpochMsSchema,
    /** When the node said so. */
    atMs: EpochMsSchema,
    isDraining: Type.Boolean(),
    connections: CountSchema,
    /** Open sockets of drivers, riders and operators. */
    connectionsByRole: CountsSchema,
    /** Subscriptions by kind of topic. */
    subscriptions: CountsSchema,
    slowSockets: CountSchema,
    upgrades: CountsSchema,
    /** Ended sockets by close code, whoever ended them; `other` are codes of clients' own. */
    closed: CountsSchema,
    residentBytes: CountSchema,
  },
  closed,
);
export type NodeStats = Static<typeof NodeStatsSchema>;

/** `GET /v1/realtime/stats`, staff: every node that is up, and their sum. */
export const RealtimeStatsReplySchema = Type.Object(
  {
    asOf: IsoTimeSchema,
    nodes: Type.Array(NodeStatsSchema),
    total: Type.Object(
      {
        nodes: CountSchema,
        connections: CountSchema,
        connectionsByRole: CountsSchema,
        subscriptions: CountsSchema,
        slowSockets: CountSchema,
        upgrades: CountsSchema,
        closed: CountsSchema,
      },
      closed,
    ),
  },
  closed,
);
export type RealtimeStatsReply = Static<typeof RealtimeStatsReplySchema>;

/** `GET /v1/users/:id/connections`, staff: the user's open sockets on all nodes. */
export const ConnectionsReplySchema = Type.Object(
  {
    connections: Type.Array(
      Type.Object({ connectionId: Type.String(), nodeId: Type.String(), tokenExpiresAt: IsoTimeSchema }, closed),
    ),
  },
  closed,
);
export type ConnectionsReply = Static<typeof ConnectionsReplySchema>;

/** `DELETE /v1/users/:id/connections/:connectionId`, staff. */
export const ConnectionParamsSchema = Type.Object(
  { id: IdSchema, connectionId: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}\\.[0-9]{1,15}$' }) },
  closed,
);

/** `POST /v1/users/:id/notices`, staff: a word to one person, on all of their devices. `noticeId` makes a retry recognisable. */
export const PostNoticeBodySchema = Type.Object(
  {
    noticeId: Type.Optional(IdSchema),
    title: Type.String({ minLength: 1, maxLength: 120 }),
    text: Type.Optional(Type.String({ maxLength: 1000 })),
    data: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9_]{1,40}$' }), Type.String({ maxLength: 500 }), {
        maxProperties: 16,
      }),
    ),
  },
  closed,
);
export type PostNoticeBody = Static<typeof PostNoticeBodySchema>;
export const NoticeReplySchema = Type.Object(
  { noticeId: IdSchema, epoch: Type.String(), offset: Type.Integer({ minimum: 1 }) },
  closed,
);
export type NoticeReply = Static<typeof NoticeReplySchema>;
