import Type, { type Static } from 'typebox';
import { LatitudeSchema, LongitudeSchema } from './units.ts';

/** A point on WGS 84. */
export const LatLngSchema = Type.Object({ lat: LatitudeSchema, lng: LongitudeSchema }, { additionalProperties: false });
export type LatLng = Static<typeof LatLngSchema>;

/** A named point, as the start or the end of a trip. */
export const PlaceSchema = Type.Object(
  { lat: LatitudeSchema, lng: LongitudeSchema, label: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) },
  { additionalProperties: false },
);
export type Place = Static<typeof PlaceSchema>;
