import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false };
export const LiveReplySchema = Type.Object({ status: Type.Literal('live'), instanceId: Type.String() }, closed);
export type LiveReply = Static<typeof LiveReplySchema>;
/** One dependency as `/health` saw it; `latencyMs` is missing where it did not answer in time. */
export const DependencyHealthSchema = Type.Object(
  {
    status: Type.Union([Type.Literal('up'), Type.Literal('down')]),
    latencyMs: Type.Optional(Type.Number({ minimum: 0 })),
    reason: Type.Optional(Type.String()),
  },
  closed,
);
export type DependencyHealth = Static<typeof DependencyHealthSchema>;

/**
 * `GET /health/ready`: may requests be sent to this node. `dependencies` where the process does something without them: they are told, and
 * do not decide alone.
 */
export const ReadyReplySchema = Type.Object(
  {
    status: Type.Union([Type.Literal('ready'), Type.Literal('draining'), Type.Literal('not_ready')]),
    instanceId: Type.String(),
    dependencies: Type.Optional(Type.Record(Type.String(), DependencyHealthSchema)),
  },
  closed,
);
export type ReadyReply = Static<typeof ReadyReplySchema>;

/** `GET /health`: every dependency; answers within 200 ms even when one hangs. `degraded` when any is down. */
export const HealthReplySchema = Type.Object(
  {
    status: Type.Union([Type.Literal('up'), Type.Literal('degraded'), Type.Literal('draining')]),
    service: Type.String(),
    instanceId: Type.String(),
    uptimeSeconds: Type.Number({ minimum: 0 }),
    dependencies: Type.Record(Type.String(), DependencyHealthSchema),
  },
  closed,
);
export type HealthReply = Static<typeof HealthReplySchema>;
