import Type, { type Static } from 'typebox';
import { IdSchema, RunSchema, SeqSchema } from './ids.ts';
import {
  AccuracyMetersSchema,
  BatteryPercentSchema,
  EpochMsSchema,
  HeadingDegreesSchema,
  LatitudeSchema,
  LongitudeSchema,
  SpeedMpsSchema,
} from './units.ts';

/**
 * One GPS reading as a phone sends it. Ranges are not part of the schema on purpose: a fix that is out of range is answered with
 * a named reason (`DropReason`) and closed, where a schema error would make the phone send it again for ever.
 */
export const FixSchema = Type.Object(
  {
    seq: SeqSchema,
    /** Time of the reading by the phone's clock, epoch milliseconds. */
    recordedAtMs: Type.Number(),
    lat: Type.Number(),
    lng: Type.Number(),
    accuracyMeters: Type.Optional(Type.Number()),
    speedMps: Type.Optional(Type.Number()),
    headingDegrees: Type.Optional(Type.Number()),
    batteryPercent: Type.Optional(Type.Number()),
  },
  { additionalProperties: false },
);
export type Fix = Static<typeof FixSchema>;

/**
 * Why a fix is not kept. Answered to the phone once; its seq counts as closed. `thinned`: history is far behind, and this fix came closer
 * to the one before than there is room for.
 */
export const dropReasons = ['inaccurate', 'future', 'out_of_range', 'too_old', 'impossible_speed', 'thinned'] as const;
export type DropReason = (typeof dropReasons)[number];
export const DropReasonSchema = Type.Enum(dropReasons);

/** A fix that is not kept, and why. */
export const DropSchema = Type.Object({ seq: SeqSchema, reason: DropReasonSchema }, { additionalProperties: false });
export type Drop = Static<typeof DropSchema>;

/** What a driver is doing: `off` (takes no rides), `available`, or `on_trip` (the newest fix counts for a trip). */
export const driverStates = ['off', 'available', 'on_trip'] as const;
export type DriverState = (typeof driverStates)[number];
export const DriverStateSchema = Type.Enum(driverStates);

/** The newest accepted fix of a driver. `tripId` is there while that fix counts for a trip. */
export const PositionSchema = Type.Object(
  {
    driverId: IdSchema,
    tripId: Type.Optional(IdSchema),
    state: DriverStateSchema,
    run: RunSchema,
    seq: SeqSchema,
    recordedAtMs: EpochMsSchema,
    lat: LatitudeSchema,
    lng: LongitudeSchema,
    accuracyMeters: Type.Optional(AccuracyMetersSchema),
    speedMps: Type.Optional(SpeedMpsSchema),
    headingDegrees: Type.Optional(HeadingDegreesSchema),
    batteryPercent: Type.Optional(BatteryPercentSchema),
  },
  { additionalProperties: false },
);
export type Position = Static<typeof PositionSchema>;
