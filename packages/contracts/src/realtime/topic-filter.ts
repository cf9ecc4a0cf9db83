import Type, { type Static } from 'typebox';
import { LatitudeSchema, LongitudeSchema } from '../units.ts';

/** A rectangle in WGS 84 degrees. `west` above `east` spans the date line. */
export const BoundingBoxSchema = Type.Object(
  { south: LatitudeSchema, west: LongitudeSchema, north: LatitudeSchema, east: LongitudeSchema },
  { additionalProperties: false },
);
export type BoundingBox = Static<typeof BoundingBoxSchema>;

/** Which part of an `admin:*` topic an operator wants. All that is given has to fit. */
export const TopicFilterSchema = Type.Object(
  {
    /** Things with a place outside it are left out; things without a place are not. */
    bbox: Type.Optional(BoundingBoxSchema),
    /** A vehicle's state, or that of whatever the topic is about. */
    states: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { minItems: 1, maxItems: 8 })),
    /** Part of an id, in any case. */
    text: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  },
  { additionalProperties: false },
);
export type TopicFilter = Static<typeof TopicFilterSchema>;
