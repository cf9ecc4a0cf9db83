import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import { IsoTimeSchema } from '../units.ts';
import { CursorSchema, NextCursorSchema } from './paging.ts';

const closed = { additionalProperties: false };

export const notificationChannels = ['sms', 'whatsapp', 'email', 'push', 'voice'] as const;
export const notificationClasses = ['critical', 'high', 'normal', 'low'] as const;
/**
 * `queued`: to be sent, now or later; `accepted`: a company has it; `delivered`: a receipt or the person's app says so; `failed`: nobody
 * could deliver it; `suppressed`: the person does not want it.
 */
export const notificationStates = ['queued', 'accepted', 'delivered', 'failed', 'suppressed'] as const;
export const messageLocales = ['en', 'hi'] as const;
/** What can be said. Each has words in every language, and may be registered with the companies that ask for it. */
export const messageTemplates = [
  'otp',
  'contact_verify',
  'ride_started',
  'ride_ended',
  'sos_alert',
  'sos_resolved',
  'sos_call_back',
  'sos_drill',
  'on_call_page',
] as const;

const ChannelSchema = Type.Enum(notificationChannels);
const StateSchema = Type.Enum(notificationStates);

/** One call of one company. */
export const DeliveryAttemptSchema = Type.Object(
  {
    attemptId: Type.String(),
    provider: Type.String(),
    startedAt: IsoTimeSchema,
    latencyMs: Type.Integer({ minimum: 0 }),
    outcome: Type.Enum(['accepted', 'failed'] as const),
    providerMessageId: Type.Optional(Type.String()),
    errorClass: Type.Optional(Type.Enum(['retry', 'next', 'give-up'] as const)),
    reason: Type.Optional(Type.String()),
    vendorCode: Type.Optional(Type.String()),
    /** The newest that the company told of it. */
    receipt: Type.Optional(Type.String()),
    receiptAt: Type.Optional(IsoTimeSchema),
  },
  closed,
);

/** One message to one address over one channel, without the address and what it says. */
export const NotificationSchema = Type.Object(
  {
    notificationId: IdSchema,
    personId: Type.Optional(IdSchema),
    template: Type.Enum(messageTemplates),
    locale: Type.Enum(messageLocales),
    class: Type.Enum(notificationClasses),
    channel: ChannelSchema,
    state: StateSchema,
    reason: Type.Optional(Type.String()),
    createdAt: IsoTimeSchema,
    expiresAt: IsoTimeSchema,
    /** When something will be done about it; absent once it has ended. */
    nextAt: Type.Optional(IsoTimeSchema),
    endedAt: Type.Optional(IsoTimeSchema),
    deliveredAt: Type.Optional(IsoTimeSchema),
    attempts: Type.Array(DeliveryAttemptSchema),
    correlationId: Type.Optional(Type.String()),
  },
  closed,
);
export type Notification = Static<typeof NotificationSchema>;

/** `GET /v1/notifications`, staff: newest first. */
export const ListNotificationsQuerySchema = Type.Object(
  {
    state: StateSchema,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    cursor: Type.Optional(CursorSchema),
  },
  closed,
);
export const ListNotificationsReplySchema = Type.Object(
  { notifications: Type.Array(NotificationSchema), nextCursor: NextCursorSchema },
  closed,
);
export type ListNotificationsReply = Static<typeof ListNotificationsReplySchema>;

export const NotificationParamsSchema = Type.Object({ id: IdSchema }, closed);

const timeOfDay = { pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description: 'HH:MM of the person’s day' };

/** `PUT` and `GET /v1/users/me/notification-preferences`: the whole of them. Critical messages and one-time codes come all the same. */
export const NotificationPreferencesSchema = Type.Object(
  {
    locale: Type.Enum(messageLocales),
    timeZone: Type.String({ minLength: 1, maxLength: 64, description: 'IANA name such as Asia/Kolkata' }),
    channelsOff: Type.Array(ChannelSchema, { maxItems: notificationChannels.length, uniqueItems: true }),
    /** From 22:00 to 07:00 is over midnight. */
    quietHours: Type.Union([
      Type.Object({ from: Type.String(timeOfDay), to: Type.String(timeOfDay) }, closed),
      Type.Null(),
    ]),
  },
  closed,
);
export type NotificationPreferences = Static<typeof NotificationPreferencesSchema>;

/** `GET /v1/providers/scorecards`, staff: how the companies did in the last minutes, over all processes that send. */
export const ScorecardsReplySchema = Type.Object(
  {
    asOf: IsoTimeSchema,
    scorecards: Type.Array(
      Type.Object(
        {
          provider: Type.String(),
          channel: Type.String(),
          attempts: Type.Integer({ minimum: 0 }),
          accepted: Type.Integer({ minimum: 0 }),
          faults: Type.Integer({ minimum: 0, description: 'failed, and not through the recipient' }),
          successShare: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()]),
          p95LatencyMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type ScorecardsReply = Static<typeof ScorecardsReplySchema>;
