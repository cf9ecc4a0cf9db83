import Type, { type Static } from 'typebox';
import { LocaleSchema, PhoneSchema } from '../person.ts';

const closed = { additionalProperties: false };

/** Four to eight digits: it is typed with a thumb, in fear. */
export const PinSchema = Type.String({ pattern: '^[0-9]{4,8}$', description: '4–8 digits' });

/**
 * `PUT /v1/users/me/safety`. What is left out stays as it is, since a PIN cannot be read back; `phone: null` takes the number away.
 *
 * `cancel` ends an alert; `duress` looks as if it did, and does not: for somebody who is made to. Where there are PINs, `current` (the
 * cancel PIN) has to be right before they change. An alert is ended by PINs that were there before it alone.
 */
export const PutSafetyBodySchema = Type.Object(
  {
    locale: Type.Optional(LocaleSchema),
    phone: Type.Optional(Type.Union([PhoneSchema, Type.Null()])),
    pins: Type.Optional(
      Type.Object({ cancel: PinSchema, duress: PinSchema, current: Type.Optional(PinSchema) }, closed),
    ),
  },
  closed,
);
export type PutSafetyBody = Static<typeof PutSafetyBodySchema>;

/** `GET /v1/users/me/safety`: the person's own number whole, and of the PINs only whether there are any. */
export const SafetyReplySchema = Type.Object(
  {
    version: Type.Integer({ minimum: 0 }),
    locale: LocaleSchema,
    phone: Type.Union([PhoneSchema, Type.Null()]),
    isPhoneVerified: Type.Boolean(),
    hasPins: Type.Boolean(),
  },
  closed,
);
export type SafetyReply = Static<typeof SafetyReplySchema>;
