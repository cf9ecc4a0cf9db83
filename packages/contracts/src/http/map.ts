import Type, { type Static } from 'typebox';

/** `GET /v1/map/roads?bbox=west,south,east,north`, staff. */
export const RoadsQuerySchema = Type.Object(
  {
    bbox: Type.String({
      pattern: '^-?\\d+(\\.\\d+)?(,-?\\d+(\\.\\d+)?){3}$',
      description: 'west,south,east,north in degrees, at most 10 wide and high',
    }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20_000 })),
  },
  { additionalProperties: false },
);

/** Travelled road segments as GeoJSON: no driver, no time, only where and how often. Busiest first up to `limit`. */
export const RoadsReplySchema = Type.Object(
  {
    type: Type.Literal('FeatureCollection'),
    features: Type.Array(
      Type.Object({
        type: Type.Literal('Feature'),
        geometry: Type.Object({
          type: Type.Literal('LineString'),
          coordinates: Type.Array(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 })),
        }),
        properties: Type.Object({ passes: Type.Integer({ minimum: 1 }) }),
      }),
    ),
  },
  { additionalProperties: false },
);
export type RoadsReply = Static<typeof RoadsReplySchema>;
