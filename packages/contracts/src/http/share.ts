import Type, { type Static } from 'typebox';
import { IsoTimeSchema } from '../units.ts';
import { TrailPointSchema } from './sos-trail.ts';

const closed = { additionalProperties: false };

/** The token of a link, as it stands in its fragment. */
export const ShareParamsSchema = Type.Object(
  { token: Type.String({ pattern: '^[A-Za-z0-9_-]{30,240}$', description: 'from the link' }) },
  closed,
);
/** `since`: only points that were recorded after it; what came late is in a full answer. */
export const ShareQuerySchema = Type.Object({ since: Type.Optional(IsoTimeSchema) }, closed);

/**
 * `GET /v1/share/:token`: an alert as a contact without a login sees it. Names nobody.
 *
 * Once it has ended `points` is at most one place, to two decimals (a kilometre), and `isCoarse` says so.
 */
export const ShareReplySchema = Type.Object(
  {
    /** `acknowledged`: a person of the staff takes care; it is not over. */
    state: Type.Enum(['open', 'acknowledged', 'ended']),
    asOf: IsoTimeSchema,
    raisedAt: IsoTimeSchema,
    acknowledgedAt: Type.Optional(IsoTimeSchema),
    endedAt: Type.Optional(IsoTimeSchema),
    /** The link shows nothing from then on. */
    expiresAt: IsoTimeSchema,
    isCoarse: Type.Optional(Type.Literal(true)),
    /** Address of a map that any browser opens, with `{lat}` and `{lng}` in the place of a point's. */
    mapUrl: Type.String(),
    /** In order of time, thinned where there are many. */
    points: Type.Array(TrailPointSchema),
  },
  closed,
);
export type ShareReply = Static<typeof ShareReplySchema>;
