import Type from 'typebox';

/** WGS 84, degrees. */
export const LatitudeSchema = Type.Number({ minimum: -90, maximum: 90 });
/** WGS 84, degrees. */
export const LongitudeSchema = Type.Number({ minimum: -180, maximum: 180 });
/** Milliseconds since 1970-01-01T00:00:00Z, by the phone's or the server's clock as the field says. */
export const EpochMsSchema = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });
/** ISO 8601 in UTC with milliseconds, as HTTP bodies carry times. */
export const IsoTimeSchema = Type.String({ format: 'date-time', examples: ['2026-03-01T08:15:30.000Z'] });
/** Radius of 68 % confidence, metres. */
export const AccuracyMetersSchema = Type.Number({ minimum: 0 });
/** Metres a second over ground. */
export const SpeedMpsSchema = Type.Number({ minimum: 0 });
/** Clockwise from true north, 0 ≤ heading < 360. */
export const HeadingDegreesSchema = Type.Number({ minimum: 0, maximum: 360 });
/** Charge of the phone, 0–100. */
export const BatteryPercentSchema = Type.Number({ minimum: 0, maximum: 100 });
