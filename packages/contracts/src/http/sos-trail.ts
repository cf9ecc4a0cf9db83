import Type, { type Static } from 'typebox';
import { DropSchema, FixSchema } from '../fix.ts';
import { IdSchema, RunSchema, SeqSchema } from '../ids.ts';
import { realtimeLimits } from '../realtime/limits.ts';
import {
  AccuracyMetersSchema,
  HeadingDegreesSchema,
  IsoTimeSchema,
  LatitudeSchema,
  LongitudeSchema,
  SpeedMpsSchema,
} from '../units.ts';
import { CursorSchema, NextCursorSchema } from './paging.ts';
import { AlertStateSchema } from './sos.ts';

const closed = { additionalProperties: false };

/** Whose phone it was: that of the trip's driver, or that of the person who raised the alert. */
export const trailSources = ['driver', 'person'] as const;
export type TrailSource = (typeof trailSources)[number];

/**
 * A place on the trail of an alert. `recordedAt` by the phone's clock, or when it reached us where the person's clock is ahead of ours;
 * source and `recordedAt` together tell one point from another, and a point may be told twice, or after a newer one.
 */
export const TrailPointSchema = Type.Object(
  {
    source: Type.Enum(trailSources),
    lat: LatitudeSchema,
    lng: LongitudeSchema,
    recordedAt: IsoTimeSchema,
    accuracyMeters: Type.Optional(AccuracyMetersSchema),
    headingDegrees: Type.Optional(HeadingDegreesSchema),
    speedMps: Type.Optional(SpeedMpsSchema),
  },
  closed,
);
export type TrailPoint = Static<typeof TrailPointSchema>;

/**
 * `POST /v1/sos/:id/fixes`, and the fields of a `sos_loc` frame: the alerting person's own fixes. `run` is one unbroken numbering, made by
 * the phone (epoch milliseconds of its start); nobody allots it.
 */
export const sosFixesFields = {
  run: RunSchema,
  fixes: Type.Array(FixSchema, { minItems: 1, maxItems: realtimeLimits.fixesPerFrame }),
};
export const PostSosFixesBodySchema = Type.Object(sosFixesFields, closed);
export type PostSosFixesBody = Static<typeof PostSosFixesBodySchema>;

/** The same as servers take it: each fix is judged by itself, so that one which cannot be read takes none of the others with it. */
export const takenSosFixesFields = {
  run: RunSchema,
  fixes: Type.Array(Type.Unknown(), { minItems: 1, maxItems: realtimeLimits.fixesPerFrame }),
};
export const TakenSosFixesSchema = Type.Object(takenSosFixesFields);
export type TakenSosFixes = Static<typeof TakenSosFixesSchema>;

/**
 * What may be forgotten: `durableSeqs` are stored with a majority, `drops` are not kept, each with its reason. What neither names was
 * passed on to those who watch, and is to be sent again until it is named.
 */
export const sosFixesReplyFields = {
  /** The alert that the fixes count for, where the one that was named joined it. */
  alertId: IdSchema,
  run: RunSchema,
  durableSeqs: Type.Array(SeqSchema, { maxItems: realtimeLimits.fixesPerFrame }),
  drops: Type.Array(DropSchema, { maxItems: realtimeLimits.fixesPerFrame }),
};
export const SosFixesReplySchema = Type.Object(sosFixesReplyFields, closed);
export type SosFixesReply = Static<typeof SosFixesReplySchema>;

/** `POST /internal/sos-fixes` (service token): a `sos_loc` frame with the identity that the socket was opened with. */
export const ForwardedSosFixesSchema = Type.Object({ userId: IdSchema, alertId: IdSchema, ...takenSosFixesFields });
export type ForwardedSosFixes = Static<typeof ForwardedSosFixesSchema>;

/** `GET /v1/sos/:id/trail`: from the beginning, or after the point that a cursor stands for. */
export const AlertTrailQuerySchema = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000 })),
    cursor: Type.Optional(CursorSchema),
  },
  closed,
);

/** Points in order of time. Where `nextCursor` is null these were the last so far; the newest one may not be stored yet. */
export const AlertTrailReplySchema = Type.Object(
  {
    alertId: IdSchema,
    state: AlertStateSchema,
    asOf: IsoTimeSchema,
    points: Type.Array(TrailPointSchema),
    nextCursor: NextCursorSchema,
  },
  closed,
);
export type AlertTrailReply = Static<typeof AlertTrailReplySchema>;
