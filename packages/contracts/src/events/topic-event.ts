import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import { IsoTimeSchema } from '../units.ts';
import { ContactSosSchema, SosDrillSchema, SosEventSchema } from './sos-event.ts';

const closed = { additionalProperties: false };
const tripFact = { tripId: IdSchema, at: IsoTimeSchema, version: Type.Integer({ minimum: 1 }) };

/** What can happen to a trip; each with the version of the trip that it made. */
export const TripCreatedSchema = Type.Object({ name: Type.Literal('trip.created'), ...tripFact }, closed);
export const TripStartedSchema = Type.Object({ name: Type.Literal('trip.started'), ...tripFact }, closed);
export const TripEndedSchema = Type.Object({ name: Type.Literal('trip.ended'), ...tripFact }, closed);
export const TripPassengersChangedSchema = Type.Object(
  { name: Type.Literal('trip.passengers_changed'), ...tripFact },
  closed,
);
export const TripEventSchema = Type.Union([
  TripCreatedSchema,
  TripStartedSchema,
  TripEndedSchema,
  TripPassengersChangedSchema,
]);
export type TripEvent = Static<typeof TripEventSchema>;
export type TripEventName = TripEvent['name'];

const presenceFact = { tripId: IdSchema, driverId: IdSchema, at: IsoTimeSchema };

/** On a trip's topic: no fix of its driver has come for a while. `lastFixAgeMs` is counted at `at`. */
export const DriverSilentSchema = Type.Object(
  { name: Type.Literal('driver.silent'), ...presenceFact, lastFixAgeMs: Type.Integer({ minimum: 0 }) },
  closed,
);
/** His fixes come again. */
export const DriverHeardSchema = Type.Object({ name: Type.Literal('driver.heard'), ...presenceFact }, closed);
export type DriverPresenceEvent = Static<typeof DriverSilentSchema> | Static<typeof DriverHeardSchema>;

/** On `user:{id}`: a word of the company to one person, on all of their devices. `data` is the app's own. */
export const UserNoticeSchema = Type.Object(
  {
    name: Type.Literal('notice'),
    noticeId: IdSchema,
    at: IsoTimeSchema,
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
export type UserNotice = Static<typeof UserNoticeSchema>;

/** Everything an `event` frame can carry. */
export const TopicEventSchema = Type.Union([
  TripCreatedSchema,
  TripStartedSchema,
  TripEndedSchema,
  TripPassengersChangedSchema,
  DriverSilentSchema,
  DriverHeardSchema,
  UserNoticeSchema,
  SosDrillSchema,
  SosEventSchema,
  ContactSosSchema,
]);
export type TopicEvent = Static<typeof TopicEventSchema>;
