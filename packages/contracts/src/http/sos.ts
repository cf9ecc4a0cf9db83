import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import {
  AccuracyMetersSchema,
  BatteryPercentSchema,
  IsoTimeSchema,
  LatitudeSchema,
  LongitudeSchema,
} from '../units.ts';
import { filterQueryFields } from './filter-query.ts';
import { CursorSchema, NextCursorSchema } from './paging.ts';

const closed = { additionalProperties: false };
const RoleSchema = Type.Enum(['driver', 'rider', 'operator']);

/** UUIDv7 in lower case, made by the phone when the button is pressed: however often and wherever it is sent, it is one trigger. */
export const TriggerIdSchema = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  description: 'UUIDv7',
});

/** Where the phone was, by its own clock. */
export const SosLocationSchema = Type.Object(
  {
    lat: LatitudeSchema,
    lng: LongitudeSchema,
    accuracyMeters: Type.Optional(AccuracyMetersSchema),
    recordedAt: IsoTimeSchema,
  },
  closed,
);
export type SosLocation = Static<typeof SosLocationSchema>;

/** Characters. */
export const maxDeviceTextLength = 64;
const DeviceTextSchema = Type.String({ minLength: 1, maxLength: maxDeviceTextLength });
export const SosDeviceSchema = Type.Object(
  {
    platform: Type.Optional(DeviceTextSchema),
    model: Type.Optional(DeviceTextSchema),
    osVersion: Type.Optional(DeviceTextSchema),
    appVersion: Type.Optional(DeviceTextSchema),
  },
  closed,
);
export type SosDevice = Static<typeof SosDeviceSchema>;
/** Characters. */
export const maxNoteLength = 500;

/**
 * `POST /v1/sos`, and the fields of a `sos` frame. `triggeredAt` by the phone's clock. This is what phones are to send; what servers take
 * is more (read-press.ts).
 */
export const sosTriggerFields = {
  alertId: TriggerIdSchema,
  triggeredAt: IsoTimeSchema,
  location: Type.Optional(SosLocationSchema),
  batteryPercent: Type.Optional(BatteryPercentSchema),
  device: Type.Optional(SosDeviceSchema),
  tripId: Type.Optional(IdSchema),
  note: Type.Optional(Type.String({ minLength: 1, maxLength: maxNoteLength })),
};
export const SosTriggerSchema = Type.Object(sosTriggerFields, closed);
export type SosTrigger = Static<typeof SosTriggerSchema>;

/**
 * What holds an accepted alert. `majority`: a majority of the database's members, on disk. `provisional`: this node's journal, synced,
 * and a Redis with a replica. `local`: this node's journal alone. What is not `majority` becomes it as soon as the database is back.
 */
export const durabilities = ['majority', 'provisional', 'local'] as const;
export type Durability = (typeof durabilities)[number];

/** `open`: nobody has acknowledged it. `acknowledged`: a person takes care; still open. The others are its ends. */
export const alertStates = ['open', 'acknowledged', 'resolved', 'false_alarm', 'cancelled'] as const;
export type AlertState = (typeof alertStates)[number];
export const AlertStateSchema = Type.Enum(alertStates);

export const sosReplyFields = {
  /** The alert that the trigger counts for; its own id, unless it `joined` one that was open. */
  alertId: IdSchema,
  durability: Type.Enum(durabilities),
  /** Of the alert when the trigger was accepted, so that a repeated trigger has the same answer. */
  state: AlertStateSchema,
  joined: Type.Optional(Type.Literal(true)),
  acceptedAt: IsoTimeSchema,
};
/** 201 with `majority`, 202 with anything less. */
export const SosReplySchema = Type.Object(sosReplyFields, closed);
export type SosReply = Static<typeof SosReplySchema>;

/** `POST /v1/sos/drill`: the app makes the id, as for a call for help, so that a request sent again is the same drill. */
export const RaiseDrillBodySchema = Type.Object({ alertId: TriggerIdSchema }, closed);

export const AlertParamsSchema = Type.Object({ id: IdSchema }, closed);

/** `POST /v1/sos/:id/seen`: `attempt_id` of the push that the app has shown. */
export const SeenAlertBodySchema = Type.Object(
  { attemptId: Type.String({ pattern: '^sos\\.[A-Za-z0-9._-]{1,124}$' }) },
  closed,
);

/** An alert in a list. Staff see all of it; the person who raised it not who of the staff did what. */
const alertFields = {
  alertId: IdSchema,
  state: AlertStateSchema,
  /** Rises by one with every change that people see. */
  version: Type.Integer({ minimum: 1 }),
  userId: IdSchema,
  role: RoleSchema,
  tripId: Type.Optional(IdSchema),
  triggeredAt: IsoTimeSchema,
  acceptedAt: IsoTimeSchema,
  /** Nobody is in danger: somebody, or the system itself, tries out the way of an alert. */
  isDrill: Type.Optional(Type.Literal(true)),
  /** The phone could not reach anybody for a while after the button was pressed. */
  isLate: Type.Optional(Type.Literal(true)),
  /** The token had run out, and was genuine. */
  isTokenExpired: Type.Optional(Type.Literal(true)),
  location: Type.Optional(SosLocationSchema),
  mapUrl: Type.Optional(Type.String()),
  batteryPercent: Type.Optional(BatteryPercentSchema),
  pressCount: Type.Integer({ minimum: 1 }),
  lastPressedAt: IsoTimeSchema,
  /** How far the escalation has gone and when it goes on; null once a person has acknowledged. */
  escalationLevel: Type.Optional(Type.Integer({ minimum: 0 })),
  escalatesAt: Type.Optional(Type.Union([IsoTimeSchema, Type.Null()])),
  claimedBy: Type.Optional(IdSchema),
  claimedAt: Type.Optional(IsoTimeSchema),
  acknowledgedBy: Type.Optional(IdSchema),
  acknowledgedAt: Type.Optional(IsoTimeSchema),
  closedBy: Type.Optional(IdSchema),
  closedAt: Type.Optional(IsoTimeSchema),
  closeReason: Type.Optional(Type.String()),
  /** The person's devices were told that it is cancelled. It is not: somebody was made to cancel it. */
  isDuress: Type.Optional(Type.Literal(true)),
  duressAt: Type.Optional(IsoTimeSchema),
};
export const AlertSummarySchema = Type.Object(alertFields, closed);
export type AlertSummary = Static<typeof AlertSummarySchema>;

export const outboxStates = ['PENDING', 'SENDING', 'ACCEPTED', 'DELIVERED', 'FAILED'] as const;
export type OutboxState = (typeof outboxStates)[number];
export const outboxChannels = ['desk', 'incident', 'app', 'push', 'sms', 'whatsapp', 'email', 'voice', 'none'] as const;
export type OutboxChannel = (typeof outboxChannels)[number];

/** One person and channel. `recipientId` names a contact; operators, the on-call person and the incident have none. */
export const OutboxEntrySchema = Type.Object(
  {
    entryId: Type.String(),
    recipient: Type.Enum(['operators', 'incident', 'contact', 'on_call', 'expand_contacts', 'person']),
    recipientId: Type.Optional(IdSchema),
    channel: Type.Enum(outboxChannels),
    /** What it says, where that is not the alert itself: that somebody takes care, or that it is over. */
    purpose: Type.Optional(Type.Enum(['acknowledge', 'resolve'] as const)),
    state: Type.Enum(outboxStates),
    attempts: Type.Integer({ minimum: 0 }),
  },
  closed,
);

/** Something that happened to the alert. `text` is a note, or the reason of its end; `data` by its kind. */
export const AlertFactSchema = Type.Object(
  {
    /** Its place among all facts of the alert: 1, 2, 3 … in the order in which they were written. */
    seq: Type.Integer({ minimum: 1 }),
    factId: Type.String(),
    at: IsoTimeSchema,
    kind: Type.String(),
    by: Type.Optional(IdSchema),
    text: Type.Optional(Type.String()),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    /** It is in the chain of hashes, and can be exported. Usually within seconds. */
    isSealed: Type.Boolean(),
  },
  closed,
);
export type AlertFact = Static<typeof AlertFactSchema>;

export const AlertSchema = Type.Object(
  {
    ...alertFields,
    device: Type.Optional(SosDeviceSchema),
    note: Type.Optional(Type.String()),
    outbox: Type.Optional(Type.Array(OutboxEntrySchema)),
    /** The newest, in order; all of them by `GET /v1/sos/:id/timeline`. */
    facts: Type.Optional(Type.Array(AlertFactSchema)),
    factCount: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  closed,
);
export type Alert = Static<typeof AlertSchema>;

/**
 * `GET /v1/sos`, staff: open ones first, then newest first. Drills only where they are asked for. The filter is that of `admin:sos`: `bbox`
 * by where the newest press was made, `text` by alert, person and trip. `state` is `states` with one of them. Of a press that joined in silence,
 * within a minute of another, the topic knows the place from the alert's next event on.
 */
export const ListAlertsQuerySchema = Type.Object(
  {
    state: Type.Optional(AlertStateSchema),
    ...filterQueryFields,
    drills: Type.Optional(Type.Enum(['included', 'only'] as const)),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    cursor: Type.Optional(CursorSchema),
  },
  closed,
);
export const ListAlertsReplySchema = Type.Object(
  { alerts: Type.Array(AlertSummarySchema), nextCursor: NextCursorSchema },
  closed,
);
export type ListAlertsQuery = Static<typeof ListAlertsQuerySchema>;
export type ListAlertsReply = Static<typeof ListAlertsReplySchema>;

/** `POST /v1/sos/:id/claim`, staff. `takeOver`: also from a colleague who has it. */
export const ClaimAlertBodySchema = Type.Object({ takeOver: Type.Optional(Type.Boolean()) }, closed);
/** `POST /v1/sos/:id/note`, staff. The client makes `noteId`, so that a repeated request is one note. */
export const AlertNoteBodySchema = Type.Object(
  { noteId: IdSchema, text: Type.String({ minLength: 1, maxLength: 1000 }) },
  closed,
);
/** `POST /v1/sos/:id/call`, staff. With a `callId` of the client a repeated request is one call. */
export const CallPersonBodySchema = Type.Object({ callId: Type.Optional(IdSchema) }, closed);
/** `POST /v1/sos/:id/resolve` and `/false-alarm`, staff. */
export const CloseAlertBodySchema = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 500 }) }, closed);
/** `POST /v1/sos/:id/cancel`, by the person who raised it. */
export const CancelAlertBodySchema = Type.Object({ pin: Type.String({ pattern: '^[0-9]{4,12}$' }) }, closed);

/** `POST /internal/sos` (service token): a `sos` frame with the identity that the socket was opened with. */
export const ForwardedSosSchema = Type.Object(
  { identity: Type.Object({ userId: IdSchema, role: RoleSchema }, closed), trigger: SosTriggerSchema },
  closed,
);
export type ForwardedSos = Static<typeof ForwardedSosSchema>;

/** `POST /internal/sos-access` (service token): who may hear of which alert. The reply names those who may, by their place in the question. */
export const SosAccessQuerySchema = Type.Object(
  {
    questions: Type.Array(Type.Object({ alertId: IdSchema, userId: IdSchema, role: RoleSchema }, closed), {
      minItems: 1,
      maxItems: 500,
    }),
  },
  closed,
);
export type SosAccessQuestion = Static<typeof SosAccessQuerySchema>['questions'][number];
/**
 * How somebody may hear of an alert. `tripId` and `driverId` are there where the trip's fixes are part of its trail. `isTrailHidden`: the
 * person's own devices show it as cancelled.
 */
export const SosViewSchema = Type.Object(
  {
    as: Type.Enum(['staff', 'person', 'contact']),
    tripId: Type.Optional(IdSchema),
    driverId: Type.Optional(IdSchema),
    isTrailHidden: Type.Optional(Type.Literal(true)),
  },
  closed,
);
export type SosView = Static<typeof SosViewSchema>;
/** `views` beside `allowed`: null for those who may not. Older servers leave it out. */
export const SosAccessReplySchema = Type.Object(
  {
    allowed: Type.Array(Type.Boolean()),
    views: Type.Optional(Type.Array(Type.Union([SosViewSchema, Type.Null()]))),
    /** Places in the question of which nobody could say; their view is null. */
    unknown: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
  },
  closed,
);
export type SosAccessReply = Static<typeof SosAccessReplySchema>;
