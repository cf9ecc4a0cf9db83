import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import { IsoTimeSchema } from '../units.ts';

const tripFact = { tripId: IdSchema, at: IsoTimeSchema, version: Type.Integer({ minimum: 1 }) };

/** What can happen on a `trip:{id}` topic. */
export const TripCreatedSchema = Type.Object(
  { name: Type.Literal('trip.created'), ...tripFact },
  { additionalProperties: false },
);
export const TripStartedSchema = Type.Object(
  { name: Type.Literal('trip.started'), ...tripFact },
  { additionalProperties: false },
);
export const TripEndedSchema = Type.Object(
  { name: Type.Literal('trip.ended'), ...tripFact },
  { additionalProperties: false },
);
export const TripPassengersChangedSchema = Type.Object(
  { name: Type.Literal('trip.passengers_changed'), ...tripFact },
  { additionalProperties: false },
);

/** Everything an `event` frame can carry. */
export const TopicEventSchema = Type.Union([
  TripCreatedSchema,
  TripStartedSchema,
  TripEndedSchema,
  TripPassengersChangedSchema,
]);
export type TopicEvent = Static<typeof TopicEventSchema>;
export type TripEventName = TopicEvent['name'];
