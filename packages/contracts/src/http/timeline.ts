import Type, { type Static } from 'typebox';
import { IdSchema } from '../ids.ts';
import { IsoTimeSchema } from '../units.ts';
import { CursorSchema, NextCursorSchema } from './paging.ts';
import { AlertFactSchema, AlertSummarySchema } from './sos.ts';

const closed = { additionalProperties: false };
const Sha256Schema = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 in hex' });

/** `GET /v1/sos/:id/timeline`, staff: from the first fact on. */
export const TimelineQuerySchema = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    cursor: Type.Optional(CursorSchema),
  },
  closed,
);
export const TimelineReplySchema = Type.Object(
  { alertId: IdSchema, facts: Type.Array(AlertFactSchema), nextCursor: NextCursorSchema },
  closed,
);
export type TimelineReply = Static<typeof TimelineReplySchema>;

export const timelineFormat = 'hushryd.alert-timeline.1';

/**
 * A fact of an export. `hash` is SHA-256 over the canonical JSON (RFC 8785) of the alert's id and of all fields but `hash`, `text` and
 * `salt`. `textDigest` is SHA-256 over salt, a full stop and text.
 */
export const ExportedFactSchema = Type.Object(
  {
    seq: Type.Integer({ minimum: 1 }),
    factId: Type.String(),
    at: IsoTimeSchema,
    kind: Type.String(),
    by: Type.Optional(IdSchema),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    textDigest: Type.Optional(Sha256Schema),
    /** Hash of the fact before it, 64 zeros for the first. */
    previous: Sha256Schema,
    hash: Sha256Schema,
    text: Type.Optional(Type.String()),
    salt: Type.Optional(Type.String()),
  },
  closed,
);
export type ExportedFact = Static<typeof ExportedFactSchema>;

/** `GET /v1/sos/:id/export`, staff. `digest` is SHA-256 over the canonical JSON of all fields but itself and `facts`, which `head` holds. */
export const AlertExportSchema = Type.Object(
  {
    format: Type.Literal(timelineFormat),
    alertId: IdSchema,
    alert: AlertSummarySchema,
    exportedAt: IsoTimeSchema,
    exportedBy: IdSchema,
    count: Type.Integer({ minimum: 1 }),
    /** Hash of the last fact. */
    head: Sha256Schema,
    digest: Sha256Schema,
    facts: Type.Array(ExportedFactSchema),
  },
  closed,
);
export type AlertExport = Static<typeof AlertExportSchema>;
