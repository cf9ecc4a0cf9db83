import Type, { type Static } from 'typebox';
import { errorCodes } from '../errors.ts';
import { TopicEventSchema } from '../events/topic-event.ts';
import { DriverStateSchema, DropSchema, PositionSchema } from '../fix.ts';
import { NearbyDriverSchema } from '../http/drivers.ts';
import { sosReplyFields, TriggerIdSchema } from '../http/sos.ts';
import { sosFixesReplyFields, TrailPointSchema } from '../http/sos-trail.ts';
import { IdSchema, RunSchema, SeqSchema } from '../ids.ts';
import { TripStateSchema } from '../trip.ts';
import { EpochMsSchema, LatitudeSchema, LongitudeSchema } from '../units.ts';

const id = Type.Optional(Type.Integer({ minimum: 0 }));
const topic = Type.String();
const closed = { additionalProperties: false };

/** First frame of every socket. `expiresAtMs` is when the token runs out: `refresh` before it. */
export const ReadyFrameSchema = Type.Object(
  { type: Type.Literal('ready'), connectionId: Type.String(), serverTimeMs: EpochMsSchema, expiresAtMs: EpochMsSchema },
  closed,
);

/** Answer to `hello`: the run to number fixes in, how far it is durable (0: nothing yet), and the driver's stored position. */
export const WelcomeFrameSchema = Type.Object(
  {
    type: Type.Literal('welcome'),
    id,
    run: RunSchema,
    durableSeq: Type.Integer({ minimum: 0 }),
    position: Type.Union([PositionSchema, Type.Null()]),
  },
  closed,
);

/**
 * All fixes of one `loc` frame are in Redis, readable by anyone, or named in `drops` with the reason why not. `seq` is the frame's
 * highest. `cadenceMs` asks for fixes no more often than that, while history is behind.
 */
export const RecvFrameSchema = Type.Object(
  {
    type: Type.Literal('recv'),
    id,
    run: RunSchema,
    seq: SeqSchema,
    drops: Type.Optional(Type.Array(DropSchema)),
    cadenceMs: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  closed,
);

/** Every fix of the run up to `seq` is stored with majority, dropped with an answer, or closed: the phone may forget it. Cumulative. */
export const DurableFrameSchema = Type.Object(
  { type: Type.Literal('durable'), run: RunSchema, seq: Type.Integer({ minimum: 0 }) },
  closed,
);

/** History misses fixes: send everything kept of this run from `from` on, in order. */
export const ResendFrameSchema = Type.Object({ type: Type.Literal('resend'), run: RunSchema, from: SeqSchema }, closed);

/**
 * A newer run of this driver moves the position; fixes of `run` still become history. `offeredRun` is there once the newer run has been
 * silent for a minute: number new fixes in it to move the position again.
 */
export const SupersededFrameSchema = Type.Object(
  { type: Type.Literal('superseded'), run: RunSchema, byRun: RunSchema, offeredRun: Type.Optional(RunSchema) },
  closed,
);

/** A trip as its room shows it: what a client that cannot be told everything begins again with. */
export const TripSnapshotSchema = Type.Object(
  {
    tripId: IdSchema,
    version: Type.Integer({ minimum: 1 }),
    state: TripStateSchema,
    driverId: IdSchema,
    startedAtMs: Type.Optional(EpochMsSchema),
    endedAtMs: Type.Optional(EpochMsSchema),
  },
  closed,
);

/**
 * The subscription is live. `epoch` and `offset` say where the topic's event log stands. `recovered` is there where events may have
 * been missed: `true` means that every one of them follows, in order, up to `offset`; `false` that they are gone for good, and
 * `snapshot` (of a trip) is where to begin again. On a binary socket `room` is the number that stands for the topic in its binary
 * frames, and `driverId` whose positions they are; where it comes again without them, they stay.
 */
export const SubscribedFrameSchema = Type.Object(
  {
    type: Type.Literal('subscribed'),
    id,
    topic,
    epoch: Type.Optional(Type.String()),
    offset: Type.Optional(Type.Integer({ minimum: 0 })),
    recovered: Type.Optional(Type.Boolean()),
    snapshot: Type.Optional(TripSnapshotSchema),
    room: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    driverId: Type.Optional(IdSchema),
  },
  closed,
);

/**
 * What the newest frames of a topic have said, some seconds after the last of them: whoever knows less has missed something without
 * noticing, and subscribes again from where it is. `state` and `tripId` are those of the newest position, since they change without a
 * new fix; `gone` in their place says that there is no position. Older servers leave the three out.
 */
export const BeaconFrameSchema = Type.Object(
  {
    type: Type.Literal('beacon'),
    topic,
    run: Type.Optional(RunSchema),
    seq: Type.Optional(SeqSchema),
    state: Type.Optional(DriverStateSchema),
    tripId: Type.Optional(IdSchema),
    gone: Type.Optional(Type.Literal(true)),
    epoch: Type.Optional(Type.String()),
    offset: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  closed,
);

/** The subscription is over: asked for (no `reason`), or because it is no longer allowed. */
export const UnsubscribedFrameSchema = Type.Object(
  { type: Type.Literal('unsubscribed'), id, topic, reason: Type.Optional(Type.Literal('forbidden')) },
  closed,
);

/** A vehicle moved, or changed state. `jump`: positions in between were left out for this slow socket. */
export const PositionFrameSchema = Type.Object(
  { type: Type.Literal('position'), topic, position: PositionSchema, jump: Type.Optional(Type.Literal(true)) },
  closed,
);

/** A driver's position is gone: silent for five minutes. */
export const GoneFrameSchema = Type.Object({ type: Type.Literal('gone'), topic, driverId: IdSchema }, closed);

/**
 * Something happened on the topic; `offset` rises by one within an `epoch`. Where a filter left out events in between, `after` is the
 * offset of the last one that was told. `gone`: what it is about does not fit the filter any more, or did not before: it is in no list of what
 * fits. `mustAck`: repeated until the client says `ack`.
 */
export const EventFrameSchema = Type.Object(
  {
    type: Type.Literal('event'),
    topic,
    epoch: Type.String(),
    offset: Type.Integer({ minimum: 1 }),
    after: Type.Optional(Type.Integer({ minimum: 0 })),
    event: TopicEventSchema,
    gone: Type.Optional(Type.Literal(true)),
    mustAck: Type.Optional(Type.Literal(true)),
  },
  closed,
);

/** Vehicles of one cell of the map, too many to be told one by one. */
export const MapClusterSchema = Type.Object(
  {
    /** Of its cell: the same place at the same size of box has the same id. */
    id: IdSchema,
    /** Mean of its vehicles' places. */
    lat: LatitudeSchema,
    lng: LongitudeSchema,
    count: Type.Integer({ minimum: 1 }),
    /** Of these, how many are in which state; a state without vehicles is left out. */
    states: Type.Partial(Type.Record(DriverStateSchema, Type.Integer({ minimum: 1 }))),
  },
  closed,
);

/**
 * What changed on the operators' map, ≤ 200 vehicles a frame. `snapshot` marks the first round after a subscription; its last frame has
 * `complete`. Vehicles not named in a complete snapshot are not there.
 *
 * With a filter that fits more than 2,000 vehicles, frames carry `clusters` instead and `gone` names clusters. The map goes from one to
 * the other with a new snapshot.
 */
export const MapFrameSchema = Type.Object(
  {
    type: Type.Literal('map'),
    topic: Type.Literal('admin:map'),
    asOfMs: EpochMsSchema,
    snapshot: Type.Optional(Type.Literal(true)),
    complete: Type.Optional(Type.Literal(true)),
    vehicles: Type.Array(PositionSchema, { maxItems: 200 }),
    clusters: Type.Optional(Type.Array(MapClusterSchema, { maxItems: 1024 })),
    gone: Type.Array(IdSchema),
  },
  closed,
);

/** The available drivers nearest to the middle of the cell, at most 10; whoever is not named is not among them any more. */
export const NearbyFrameSchema = Type.Object(
  {
    type: Type.Literal('nearby'),
    topic,
    asOfMs: EpochMsSchema,
    drivers: Type.Array(NearbyDriverSchema, { maxItems: 10 }),
  },
  closed,
);

/** `live: false`: Redis is away, fixes are not acknowledged and positions do not move. `live: true`: it is back. */
export const StatusFrameSchema = Type.Object({ type: Type.Literal('status'), live: Type.Boolean() }, closed);

export const RefreshedFrameSchema = Type.Object(
  { type: Type.Literal('refreshed'), id, expiresAtMs: EpochMsSchema },
  closed,
);
export const PongFrameSchema = Type.Object({ type: Type.Literal('pong'), id, serverTimeMs: EpochMsSchema }, closed);

/** The alert is stored; `triggerId` repeats the id that was sent, the other fields are those of `POST /v1/sos`. */
export const SosAcceptedFrameSchema = Type.Object(
  { type: Type.Literal('sos_accepted'), id, triggerId: TriggerIdSchema, ...sosReplyFields },
  closed,
);

/** Nobody could store the alert by this way in time: `POST /v1/sos` at once. It may have been stored; the same id makes that harmless. */
export const SosRetryOverHttpsFrameSchema = Type.Object(
  { type: Type.Literal('sos_retry_over_https'), id, triggerId: TriggerIdSchema },
  closed,
);

/** Answer to `sos_loc`: what may be forgotten, see `POST /v1/sos/:id/fixes`. */
export const SosRecvFrameSchema = Type.Object({ type: Type.Literal('sos_recv'), id, ...sosFixesReplyFields }, closed);

/**
 * On `sos:{alertId}`: where the trip's driver or the alerting person is. Not numbered and not said again: after `subscribed` the trail so
 * far is read over HTTP.
 */
export const TrailFrameSchema = Type.Object(
  { type: Type.Literal('trail'), topic, points: Type.Array(TrailPointSchema, { minItems: 1 }) },
  closed,
);

export const BusyFrameSchema = Type.Object(
  { type: Type.Literal('busy'), retryInMs: Type.Integer({ minimum: 0 }) },
  {
    description:
      'More sockets come than the server takes for the moment; a close with 1013 follows. Come back after `retryInMs`.',
  },
);

/** The node shuts down: reconnect after `retryInMs`. A close with 1012 follows. */
export const DrainingFrameSchema = Type.Object(
  { type: Type.Literal('draining'), retryInMs: Type.Integer({ minimum: 0 }) },
  closed,
);

/** A request failed; the socket stays. `id` and `topic` repeat the request's. */
export const ErrorFrameSchema = Type.Object(
  {
    type: Type.Literal('error'),
    id,
    topic: Type.Optional(topic),
    code: Type.Enum(errorCodes),
    message: Type.String(),
    retryable: Type.Boolean(),
  },
  closed,
);

export const ServerFrameSchema = Type.Union([
  ReadyFrameSchema,
  WelcomeFrameSchema,
  RecvFrameSchema,
  DurableFrameSchema,
  ResendFrameSchema,
  SupersededFrameSchema,
  SubscribedFrameSchema,
  UnsubscribedFrameSchema,
  PositionFrameSchema,
  GoneFrameSchema,
  BeaconFrameSchema,
  EventFrameSchema,
  MapFrameSchema,
  NearbyFrameSchema,
  StatusFrameSchema,
  RefreshedFrameSchema,
  PongFrameSchema,
  SosAcceptedFrameSchema,
  SosRetryOverHttpsFrameSchema,
  SosRecvFrameSchema,
  TrailFrameSchema,
  BusyFrameSchema,
  DrainingFrameSchema,
  ErrorFrameSchema,
]);

export type ReadyFrame = Static<typeof ReadyFrameSchema>;
export type WelcomeFrame = Static<typeof WelcomeFrameSchema>;
export type RecvFrame = Static<typeof RecvFrameSchema>;
export type DurableFrame = Static<typeof DurableFrameSchema>;
export type ResendFrame = Static<typeof ResendFrameSchema>;
export type SupersededFrame = Static<typeof SupersededFrameSchema>;
export type SubscribedFrame = Static<typeof SubscribedFrameSchema>;
export type UnsubscribedFrame = Static<typeof UnsubscribedFrameSchema>;
export type PositionFrame = Static<typeof PositionFrameSchema>;
export type GoneFrame = Static<typeof GoneFrameSchema>;
export type BeaconFrame = Static<typeof BeaconFrameSchema>;
export type TripSnapshot = Static<typeof TripSnapshotSchema>;
export type EventFrame = Static<typeof EventFrameSchema>;
export type MapCluster = Static<typeof MapClusterSchema>;
export type MapFrame = Static<typeof MapFrameSchema>;
export type NearbyFrame = Static<typeof NearbyFrameSchema>;
export type StatusFrame = Static<typeof StatusFrameSchema>;
export type RefreshedFrame = Static<typeof RefreshedFrameSchema>;
export type PongFrame = Static<typeof PongFrameSchema>;
export type SosAcceptedFrame = Static<typeof SosAcceptedFrameSchema>;
export type SosRetryOverHttpsFrame = Static<typeof SosRetryOverHttpsFrameSchema>;
export type SosRecvFrame = Static<typeof SosRecvFrameSchema>;
export type TrailFrame = Static<typeof TrailFrameSchema>;
export type BusyFrame = Static<typeof BusyFrameSchema>;
export type DrainingFrame = Static<typeof DrainingFrameSchema>;
export type ErrorFrame = Static<typeof ErrorFrameSchema>;
export type ServerFrame = Static<typeof ServerFrameSchema>;
