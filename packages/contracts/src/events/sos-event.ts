import Type, { type Static } from 'typebox';
import { AlertStateSchema } from '../http/sos.ts';
import { IdSchema } from '../ids.ts';
import { AccuracyMetersSchema, IsoTimeSchema, LatitudeSchema, LongitudeSchema } from '../units.ts';

const closed = { additionalProperties: false };

/** On `admin:sos`: a made-up alert that shows that the way of the real ones is open. */
export const SosDrillSchema = Type.Object(
  { name: Type.Literal('sos.drill'), alertId: IdSchema, at: IsoTimeSchema },
  closed,
);
export type SosDrill = Static<typeof SosDrillSchema>;

export const sosEventNames = [
  'sos.raised',
  'sos.pressed_again',
  'sos.acknowledged',
  'sos.claimed',
  'sos.escalated',
  'sos.call',
  'sos.noted',
  'sos.resolved',
  'sos.false_alarm',
  'sos.cancelled',
  'sos.duress',
] as const;
export type SosEventName = (typeof sosEventNames)[number];

/**
 * Something happened to an alert. It may be told twice, and a later one before an earlier: by `alertId` the highest `version` wins.
 *
 * On `admin:sos` all is there: who, where by a link and as coordinates, on which trip, by whom of the staff. `sound` asks the desk to
 * be loud. On `sos:{alertId}` the place and the staff are left out. `isProvisional`: the database has not confirmed it yet.
 */
export const SosEventSchema = Type.Object(
  {
    name: Type.Enum(sosEventNames),
    alertId: IdSchema,
    at: IsoTimeSchema,
    version: Type.Integer({ minimum: 1 }),
    state: AlertStateSchema,
    userId: Type.Optional(IdSchema),
    role: Type.Optional(Type.Enum(['driver', 'rider', 'operator'])),
    tripId: Type.Optional(IdSchema),
    lat: Type.Optional(LatitudeSchema),
    lng: Type.Optional(LongitudeSchema),
    accuracyMeters: Type.Optional(AccuracyMetersSchema),
    locatedAt: Type.Optional(IsoTimeSchema),
    mapUrl: Type.Optional(Type.String()),
    byUserId: Type.Optional(IdSchema),
    priority: Type.Optional(Type.Literal('critical')),
    sound: Type.Optional(Type.Literal(true)),
    isProvisional: Type.Optional(Type.Literal(true)),
  },
  closed,
);
export type SosEvent = Static<typeof SosEventSchema>;

/**
 * On `user:{id}` of an emergency contact who has the app: somebody who named them pressed SOS, or the alert is over. `url` shows where they
 * are, without a sign-in. `contact.sos_drill`: they try out whether you would hear of it; nobody is in danger.
 */
export const ContactSosSchema = Type.Object(
  {
    name: Type.Enum(['contact.sos', 'contact.sos_over', 'contact.sos_drill'] as const),
    alertId: IdSchema,
    userId: IdSchema,
    at: IsoTimeSchema,
    url: Type.Optional(Type.String()),
  },
  closed,
);
export type ContactSos = Static<typeof ContactSosSchema>;
