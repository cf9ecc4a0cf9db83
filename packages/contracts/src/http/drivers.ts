import Type, { type Static } from 'typebox';
import { DropSchema, FixSchema } from '../fix.ts';
import { IdSchema, RunSchema, SeqSchema } from '../ids.ts';
import { realtimeLimits } from '../realtime/limits.ts';
import { HeadingDegreesSchema, IsoTimeSchema, LatitudeSchema, LongitudeSchema } from '../units.ts';
import { LocationSchema } from './trips.ts';

const closed = { additionalProperties: false };

export const DriverParamsSchema = Type.Object({ id: IdSchema }, closed);

/** `PUT /v1/drivers/me/availability`. */
export const PutAvailabilityBodySchema = Type.Object({ available: Type.Boolean() }, closed);
export const AvailabilityReplySchema = Type.Object(
  { driverId: IdSchema, available: Type.Boolean(), changedAt: IsoTimeSchema, version: Type.Integer({ minimum: 1 }) },
  closed,
);
export type AvailabilityReply = Static<typeof AvailabilityReplySchema>;

/** `POST /v1/drivers/me/runs`: `hello` over HTTP. */
export const CreateRunBodySchema = Type.Object(
  { run: Type.Optional(RunSchema), from: Type.Optional(SeqSchema) },
  closed,
);
export const RunReplySchema = Type.Object(
  { run: RunSchema, durableSeq: Type.Integer({ minimum: 0 }), location: Type.Union([LocationSchema, Type.Null()]) },
  closed,
);
export type RunReply = Static<typeof RunReplySchema>;

/** `POST /v1/drivers/me/fixes`: a `loc` frame over HTTP. An empty `fixes` asks how far the run is durable. */
export const PostFixesBodySchema = Type.Object(
  {
    run: RunSchema,
    from: SeqSchema,
    tripId: Type.Optional(IdSchema),
    fixes: Type.Array(FixSchema, { maxItems: realtimeLimits.fixesPerFrame }),
  },
  closed,
);
export type PostFixesBody = Static<typeof PostFixesBodySchema>;
export const FixesReplySchema = Type.Object(
  {
    run: RunSchema,
    /** Highest seq of the request, now in Redis; 0 for an empty request. */
    receivedSeq: Type.Integer({ minimum: 0 }),
    durableSeq: Type.Integer({ minimum: 0 }),
    drops: Type.Array(DropSchema),
    /** Another phone of this driver moves the position now, in this run. */
    supersededBy: Type.Optional(RunSchema),
    /** That run has been silent for a minute: number new fixes in this one to move the position again. */
    offeredRun: Type.Optional(RunSchema),
    /** History is behind: no fixes more often than this, please. Absent: as often as you like. */
    cadenceMs: Type.Optional(Type.Integer({ minimum: 1 })),
    /** The trip that the request named and that is unknown or another driver's: its fixes were taken for the driver alone. */
    refusedTripId: Type.Optional(IdSchema),
  },
  closed,
);
export type FixesReply = Static<typeof FixesReplySchema>;

/** `GET /v1/drivers/nearby`: what a rider may see, ≤ 10 available drivers within 5 km; ids change every 10 minutes. Staff see the truth. */
export const NearbyDriversQuerySchema = Type.Object(
  {
    lat: LatitudeSchema,
    lng: LongitudeSchema,
    radiusMeters: Type.Optional(Type.Integer({ minimum: 1, maximum: 50_000 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  },
  closed,
);
export const NearbyDriverSchema = Type.Object(
  {
    driverId: Type.String(),
    lat: LatitudeSchema,
    lng: LongitudeSchema,
    headingDegrees: Type.Optional(HeadingDegreesSchema),
    distanceMeters: Type.Number({ minimum: 0 }),
    ageSeconds: Type.Number({ minimum: 0 }),
  },
  closed,
);
export type NearbyDriver = Static<typeof NearbyDriverSchema>;
export const NearbyDriversReplySchema = Type.Object(
  {
    asOf: IsoTimeSchema,
    topic: Type.String({ description: 'Subscribe to it over a socket to go on seeing the drivers near this point' }),
    drivers: Type.Array(NearbyDriverSchema),
  },
  closed,
);
export type NearbyDriversReply = Static<typeof NearbyDriversReplySchema>;
