import Type, { type Static } from 'typebox';
import { DriverStateSchema } from '../fix.ts';
import { LatLngSchema, PlaceSchema } from '../geo.ts';
import { IdSchema, RunSchema, SeqSchema } from '../ids.ts';
import { maxPassengers, TripSchema, TripStateSchema } from '../trip.ts';
import {
  AccuracyMetersSchema,
  BatteryPercentSchema,
  HeadingDegreesSchema,
  IsoTimeSchema,
  LatitudeSchema,
  LongitudeSchema,
  SpeedMpsSchema,
} from '../units.ts';
import { CursorSchema, NextCursorSchema } from './paging.ts';

const closed = { additionalProperties: false };
const PassengerIdsSchema = Type.Array(IdSchema, { maxItems: maxPassengers, uniqueItems: true });

/** `POST /v1/trips`, by an operator or by the driver named. A client-made `tripId` or an `Idempotency-Key` makes retries safe. */
export const CreateTripBodySchema = Type.Object(
  {
    tripId: Type.Optional(IdSchema),
    reference: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    driverId: IdSchema,
    passengerIds: PassengerIdsSchema,
    origin: PlaceSchema,
    destination: PlaceSchema,
    plannedRoute: Type.Optional(Type.Array(LatLngSchema, { minItems: 2, maxItems: 2000 })),
  },
  closed,
);
export type CreateTripBody = Static<typeof CreateTripBodySchema>;

/** `PUT /v1/trips/:id/passengers`: the whole new list. */
export const PutPassengersBodySchema = Type.Object({ passengerIds: PassengerIdsSchema }, closed);
export type PutPassengersBody = Static<typeof PutPassengersBodySchema>;

export const TripParamsSchema = Type.Object({ id: IdSchema }, closed);

/** `GET /v1/trips`, staff: newest first. `q` matches trip id, reference or driver id by prefix. */
export const ListTripsQuerySchema = Type.Object(
  {
    q: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    state: Type.Optional(TripStateSchema),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    cursor: Type.Optional(CursorSchema),
  },
  closed,
);
export const ListTripsReplySchema = Type.Object(
  { trips: Type.Array(TripSchema), nextCursor: NextCursorSchema },
  closed,
);
export type ListTripsReply = Static<typeof ListTripsReplySchema>;

const motion = {
  recordedAt: IsoTimeSchema,
  lat: LatitudeSchema,
  lng: LongitudeSchema,
  accuracyMeters: Type.Optional(AccuracyMetersSchema),
  speedMps: Type.Optional(SpeedMpsSchema),
  headingDegrees: Type.Optional(HeadingDegreesSchema),
};

/** A live position in HTTP bodies. `ageSeconds` is counted at `asOf`. */
export const LocationSchema = Type.Object(
  {
    driverId: IdSchema,
    tripId: Type.Optional(IdSchema),
    state: DriverStateSchema,
    run: RunSchema,
    seq: SeqSchema,
    ...motion,
    batteryPercent: Type.Optional(BatteryPercentSchema),
    ageSeconds: Type.Number({ minimum: 0 }),
  },
  closed,
);
export type Location = Static<typeof LocationSchema>;

/** `GET /v1/trips/:id/location`: null while nothing newer than five minutes is known. Long poll: `If-None-Match` and `waitSeconds`. */
export const LocationQuerySchema = Type.Object(
  { waitSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 })) },
  closed,
);
export const LocationReplySchema = Type.Object(
  { asOf: IsoTimeSchema, location: Type.Union([LocationSchema, Type.Null()]) },
  closed,
);
export type LocationReply = Static<typeof LocationReplySchema>;

/** `GET /v1/trips/:id/track`: the trip's fixes in order (time, run, seq), each once. */
export const TrackQuerySchema = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000 })),
    cursor: Type.Optional(CursorSchema),
    format: Type.Optional(
      Type.Union([Type.Literal('json'), Type.Literal('geojson'), Type.Literal('gpx'), Type.Literal('csv')]),
    ),
  },
  closed,
);
export const TrackFixSchema = Type.Object(
  { run: RunSchema, seq: SeqSchema, ...motion, batteryPercent: Type.Optional(BatteryPercentSchema) },
  closed,
);
export type TrackFix = Static<typeof TrackFixSchema>;
export const TrackReplySchema = Type.Object(
  {
    tripId: IdSchema,
    fixes: Type.Array(TrackFixSchema),
    /**
     * `complete`: the newest fixes not yet in MongoDB are included; `truncated`: some are not, being too many, or newer than what fits on this page
     * (they come once they are stored), or because Redis is away; `none`: not the first page.
     */
    tail: Type.Union([Type.Literal('complete'), Type.Literal('truncated'), Type.Literal('none')]),
    nextCursor: NextCursorSchema,
  },
  closed,
);
export type TrackReply = Static<typeof TrackReplySchema>;

/** `GET /v1/trips/nearby`, staff: live positions of active trips, nearest first. */
export const NearbyTripsQuerySchema = Type.Object(
  {
    lat: LatitudeSchema,
    lng: LongitudeSchema,
    radiusMeters: Type.Optional(Type.Integer({ minimum: 1, maximum: 50_000 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  },
  closed,
);
export const NearbyTripsReplySchema = Type.Object(
  {
    asOf: IsoTimeSchema,
    trips: Type.Array(
      Type.Object({ tripId: IdSchema, distanceMeters: Type.Number({ minimum: 0 }), location: LocationSchema }, closed),
    ),
  },
  closed,
);
export type NearbyTripsReply = Static<typeof NearbyTripsReplySchema>;
