import Type, { type Static } from 'typebox';
import { FixSchema } from '../fix.ts';
import { sosTriggerFields } from '../http/sos.ts';
import { sosFixesFields, takenSosFixesFields } from '../http/sos-trail.ts';
import { IdSchema, RunSchema, SeqSchema } from '../ids.ts';
import { realtimeLimits } from './limits.ts';
import { TopicFilterSchema } from './topic-filter.ts';

/** Client's number for a request; the answer (`recv`, `subscribed`, `error` …) carries it. */
const RequestIdSchema = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/**
 * First frame of a driver's phone. Without `run` the server allots one; a phone that kept fixes names the run they belong to and the
 * lowest seq it still keeps. Answer: `welcome`.
 */
export const HelloFrameSchema = Type.Object(
  {
    type: Type.Literal('hello'),
    id: Type.Optional(RequestIdSchema),
    run: Type.Optional(RunSchema),
    from: Type.Optional(SeqSchema),
  },
  { additionalProperties: false },
);

/**
 * Fixes of one run, rising by seq. `from` is the lowest seq of the run that the phone still keeps: everything below is closed. With
 * `tripId` they count for that trip where the trip's record allows it. Answer: `recv` once they are in Redis, later `durable`.
 */
export const LocFrameSchema = Type.Object(
  {
    type: Type.Literal('loc'),
    id: Type.Optional(RequestIdSchema),
    run: RunSchema,
    from: SeqSchema,
    tripId: Type.Optional(IdSchema),
    fixes: Type.Array(FixSchema, { minItems: 1, maxItems: realtimeLimits.fixesPerFrame }),
  },
  { additionalProperties: false },
);

/**
 * Subscribe to one topic. With `epoch` and `offset` (both or none) of the last event that the client saw, it is told what came since.
 * `filter` narrows `admin:*` topics. Answer: `subscribed`, then what was missed or the snapshot, then everything newer; or `error`.
 */
export const SubFrameSchema = Type.Object(
  {
    type: Type.Literal('sub'),
    id: Type.Optional(RequestIdSchema),
    topic: Type.String({ maxLength: 80 }),
    epoch: Type.Optional(Type.String({ maxLength: 32 })),
    offset: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    filter: Type.Optional(TopicFilterSchema),
  },
  { additionalProperties: false },
);

/** Every event of the topic up to `offset` has arrived and is safe with the client: those with `mustAck` stop being repeated. No answer. */
export const AckFrameSchema = Type.Object(
  {
    type: Type.Literal('ack'),
    topic: Type.String({ maxLength: 80 }),
    epoch: Type.String({ maxLength: 32 }),
    offset: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  },
  { additionalProperties: false },
);

/** Leave a topic. Answer: `unsubscribed`. Nothing of the topic follows it. */
export const UnsubFrameSchema = Type.Object(
  { type: Type.Literal('unsub'), id: Type.Optional(RequestIdSchema), topic: Type.String({ maxLength: 80 }) },
  { additionalProperties: false },
);

/** A newer token of the same user and role, before the socket's own runs out. Answer: `refreshed`. */
export const RefreshFrameSchema = Type.Object(
  { type: Type.Literal('refresh'), id: Type.Optional(RequestIdSchema), token: Type.String({ maxLength: 4096 }) },
  { additionalProperties: false },
);

/**
 * Help is needed. The fields are those of `POST /v1/sos`, and `alertId` makes it one trigger however often it is sent, by whichever way.
 * Answer: `sos_accepted` once it is stored, or `sos_retry_over_https`. Without an answer within a second or two, send it again.
 */
export const SosFrameSchema = Type.Object(
  { type: Type.Literal('sos'), id: Type.Optional(RequestIdSchema), ...sosTriggerFields },
  { additionalProperties: false },
);

/**
 * The alerting person's own fixes while the alert is open, as `POST /v1/sos/:id/fixes` takes them. Answer: `sos_recv`, which names what may
 * be forgotten; after an error that is retryable, or without an answer, send them again.
 */
export const SosLocFrameSchema = Type.Object(
  { type: Type.Literal('sos_loc'), id: Type.Optional(RequestIdSchema), alertId: IdSchema, ...sosFixesFields },
  { additionalProperties: false },
);

/** The same as servers take it: what is wrong with one fix is no matter of the others. */
export const TakenSosLocFrameSchema = Type.Object({
  type: Type.Literal('sos_loc'),
  id: Type.Optional(RequestIdSchema),
  alertId: IdSchema,
  ...takenSosFixesFields,
});

/** Is anybody there, and what time is it? Answer: `pong`. */
export const PingFrameSchema = Type.Object(
  { type: Type.Literal('ping'), id: Type.Optional(RequestIdSchema) },
  { additionalProperties: false },
);

/** Schema by `type`: a frame is first looked up here, then checked against its own schema, so that errors name one branch only. */
export const clientFrameSchemas = {
  hello: HelloFrameSchema,
  loc: LocFrameSchema,
  sub: SubFrameSchema,
  unsub: UnsubFrameSchema,
  ack: AckFrameSchema,
  refresh: RefreshFrameSchema,
  sos: SosFrameSchema,
  sos_loc: SosLocFrameSchema,
  ping: PingFrameSchema,
} as const;

export type HelloFrame = Static<typeof HelloFrameSchema>;
export type LocFrame = Static<typeof LocFrameSchema>;
export type SubFrame = Static<typeof SubFrameSchema>;
export type UnsubFrame = Static<typeof UnsubFrameSchema>;
export type AckFrame = Static<typeof AckFrameSchema>;
export type RefreshFrame = Static<typeof RefreshFrameSchema>;
export type SosFrame = Static<typeof SosFrameSchema>;
export type SosLocFrame = Static<typeof SosLocFrameSchema>;
export type TakenSosLocFrame = Static<typeof TakenSosLocFrameSchema>;
export type PingFrame = Static<typeof PingFrameSchema>;
export type ClientFrame =
  | HelloFrame
  | LocFrame
  | SubFrame
  | UnsubFrame
  | AckFrame
  | RefreshFrame
  | SosFrame
  | SosLocFrame
  | PingFrame;
