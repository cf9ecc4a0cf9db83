import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import {
  ChannelsSchema,
  EmailSchema,
  IsUnreadableSchema,
  LocaleSchema,
  MaskedSchema,
  NameSchema,
  PhoneSchema,
} from '../person.ts';
import { IsoTimeSchema } from '../units.ts';

const closed = { additionalProperties: false };

/** Time of day where the rota is kept. `24:00` ends a day. */
export const TimeOfDaySchema = Type.String({ pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$', examples: ['08:00'] });

/** 1 is Monday, 7 Sunday. */
export const WeekdaySchema = Type.Integer({ minimum: 1, maximum: 7 });

/**
 * Every week, on these days, by the clock of the rota's time zone. `until` at or before `from` is of the next day: 22:00–06:00 on a Friday
 * ends on Saturday, 08:00–08:00 lasts a day.
 */
export const ShiftSchema = Type.Object(
  {
    days: Type.Array(WeekdaySchema, { minItems: 1, maxItems: 7, uniqueItems: true }),
    from: TimeOfDaySchema,
    until: TimeOfDaySchema,
    /** In the order in which they are called. */
    personIds: Type.Array(IdSchema, { minItems: 1, maxItems: 10, uniqueItems: true }),
  },
  closed,
);
export type Shift = Static<typeof ShiftSchema>;

/** Who is called when nobody below has answered. */
export const OnCallLevelSchema = Type.Object(
  { name: NameSchema, shifts: Type.Array(ShiftSchema, { minItems: 1, maxItems: 50 }) },
  closed,
);
export type OnCallLevel = Static<typeof OnCallLevelSchema>;

/** Instead of whoever has the shift on that level. Where two overlap, the one that was added last counts. */
export const OnCallOverrideSchema = Type.Object(
  {
    /** Counted from 0, as levels are listed. */
    level: Type.Integer({ minimum: 0, maximum: 9 }),
    personIds: Type.Array(IdSchema, { minItems: 1, maxItems: 10, uniqueItems: true }),
    from: IsoTimeSchema,
    until: IsoTimeSchema,
  },
  closed,
);
export type OnCallOverride = Static<typeof OnCallOverrideSchema>;

const timeZone = Type.String({ minLength: 1, maxLength: 64, description: 'IANA name', examples: ['Asia/Kolkata'] });

/**
 * `PUT /v1/on-call`, staff: the whole rota on condition of the version that was read. `phone` and `email` may be left out for a person who is
 * on it already, since nobody is shown them; of one who is unreadable the phone is wanted anew, and the email where there is one.
 */
export const PutOnCallBodySchema = Type.Object(
  {
    version: Type.Integer({ minimum: 0, description: 'of the rota that this one replaces; 0 for the first' }),
    timeZone,
    people: Type.Array(
      Type.Object(
        {
          personId: IdSchema,
          name: NameSchema,
          phone: Type.Optional(PhoneSchema),
          email: Type.Optional(EmailSchema),
          locale: LocaleSchema,
          /** Beside the call, which whoever is on call gets: `sms` and `push`. The others change nothing. */
          channels: ChannelsSchema,
        },
        closed,
      ),
      { minItems: 1, maxItems: 100 },
    ),
    levels: Type.Array(OnCallLevelSchema, { minItems: 1, maxItems: 10 }),
  },
  closed,
);
export type PutOnCallBody = Static<typeof PutOnCallBodySchema>;

export const OverrideParamsSchema = Type.Object({ overrideId: IdSchema }, closed);

/** `PUT /v1/on-call/overrides/:overrideId`, staff. The id is the caller's. */
export const PutOverrideBodySchema = OnCallOverrideSchema;

export const OnCallQuerySchema = Type.Object({ at: Type.Optional(IsoTimeSchema) }, closed);

/**
 * `GET /v1/on-call`, staff: the rota, and who is called at `at` on each level; nobody where a level has a gap there. Numbers are masked.
 * Somebody who is unreadable is not called, shift or not.
 */
export const OnCallReplySchema = Type.Object(
  {
    version: Type.Integer({ minimum: 0 }),
    timeZone,
    people: Type.Array(
      Type.Object(
        {
          personId: IdSchema,
          name: Type.Optional(Type.String()),
          phone: Type.Optional(MaskedSchema),
          email: Type.Optional(MaskedSchema),
          locale: LocaleSchema,
          channels: ChannelsSchema,
          isUnreadable: Type.Optional(IsUnreadableSchema),
        },
        closed,
      ),
    ),
    levels: Type.Array(OnCallLevelSchema),
    overrides: Type.Array(Type.Object({ overrideId: IdSchema, ...OnCallOverrideSchema.properties }, closed)),
    at: IsoTimeSchema,
    onCall: Type.Array(Type.Object({ level: Type.Integer(), personIds: Type.Array(IdSchema) }, closed)),
  },
  closed,
);
export type OnCallReply = Static<typeof OnCallReplySchema>;
