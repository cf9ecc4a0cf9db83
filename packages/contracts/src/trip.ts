import Type, { type Static } from 'typebox';
import { LatLngSchema, PlaceSchema } from './geo.ts';
import { IdSchema } from './ids.ts';
import { IsoTimeSchema } from './units.ts';

/** `planned` → `active` (started) → `ended`. Nothing goes back. */
export const tripStates = ['planned', 'active', 'ended'] as const;
export type TripState = (typeof tripStates)[number];
export const TripStateSchema = Type.Enum(tripStates);

export const maxPassengers = 8;

/** One journey of a driver as its own people and staff may see it. */
export const TripSchema = Type.Object(
  {
    tripId: IdSchema,
    /** The company's own number for it; searchable, not unique. */
    reference: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    state: TripStateSchema,
    driverId: IdSchema,
    passengerIds: Type.Array(IdSchema, { maxItems: maxPassengers }),
    origin: PlaceSchema,
    destination: PlaceSchema,
    plannedRoute: Type.Optional(Type.Array(LatLngSchema, { minItems: 2, maxItems: 2000 })),
    createdAt: IsoTimeSchema,
    startedAt: Type.Optional(IsoTimeSchema),
    endedAt: Type.Optional(IsoTimeSchema),
    /** Rises by one with every change; newer wins everywhere. */
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type Trip = Static<typeof TripSchema>;
