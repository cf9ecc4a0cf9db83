import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import { maxPassengers, TripStateSchema } from '../trip.ts';
import { EpochMsSchema } from '../units.ts';

/** Who may see a trip, and from when to when a fix may count for it. Newer `version` wins. */
export const TripAccessSchema = Type.Object(
  {
    tripId: IdSchema,
    version: Type.Integer({ minimum: 1 }),
    state: TripStateSchema,
    driverId: IdSchema,
    passengerIds: Type.Array(IdSchema, { maxItems: maxPassengers }),
    startedAtMs: Type.Optional(EpochMsSchema),
    endedAtMs: Type.Optional(EpochMsSchema),
  },
  { additionalProperties: false },
);
export type TripAccess = Static<typeof TripAccessSchema>;

/** `POST /internal/trip-access` (service token): records that Redis lost. Ids that no trip has come back in `unknown`. */
export const TripAccessQuerySchema = Type.Object(
  { tripIds: Type.Array(IdSchema, { minItems: 1, maxItems: 500 }) },
  { additionalProperties: false },
);
export const TripAccessReplySchema = Type.Object(
  { records: Type.Array(TripAccessSchema), unknown: Type.Array(IdSchema) },
  { additionalProperties: false },
);
export type TripAccessReply = Static<typeof TripAccessReplySchema>;
