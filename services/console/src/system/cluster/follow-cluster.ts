import type { NodeStats, RealtimeStatsReply } from '@hushryd/contracts/http/realtime';

/** A node in the table: up, or gone and shown for a moment longer, so that nobody wonders where the row went. */
export interface NodeRow {
  stats: NodeStats;
  /** When it was first missing from an answer, by this page's clock. */
  goneAtMs?: number;
}

export interface Sample {
  /** By this page's clock. */
  atMs: number;
  connections: number;
}

/** What the room knows of the realtime tier after its newest answer. */
export interface Cluster {
  rows: readonly NodeRow[];
  history: readonly Sample[];
  /** The answer's time by the server's clock, and when it came by this page's. */
  asOfMs: number;
  receivedAtMs: number;
  total: RealtimeStatsReply['total'];
}

export const historyMs = 10 * 60_000;
/** Ten minutes of an answer every three seconds, and room for those asked for by hand. */
const maxSamples = 256;
export const goneShownMs = 20_000;
/** Nodes that come and go faster than they are forgotten. */
const maxGoneRows = 32;

/**
 * Take in one answer. Rows stand in the order in which the nodes started, so that none moves while it is up. Pure.
 *
 * Bounded: 256 samples, 32 rows of nodes that are gone.
 */
export function followCluster(
  before: Cluster | undefined,
  { reply, receivedAtMs }: { reply: RealtimeStatsReply; receivedAtMs: number },
): Cluster {
  return {
    rows: followRows(before?.rows ?? [], reply.nodes, receivedAtMs),
    history: [...(before?.history ?? []), { atMs: receivedAtMs, connections: reply.total.connections }]
      .filter(({ atMs }) => atMs > receivedAtMs - historyMs)
      .slice(-maxSamples),
    asOfMs: Date.parse(reply.asOf),
    receivedAtMs,
    total: reply.total,
  };
}

function followRows(before: readonly NodeRow[], nodes: readonly NodeStats[], nowMs: number): NodeRow[] {
  const up = new Set(nodes.map(({ nodeId }) => nodeId));
  const gone = before
    .filter(({ stats }) => !up.has(stats.nodeId))
    .map(({ stats, goneAtMs = nowMs }) => ({ stats, goneAtMs }))
    .filter(({ goneAtMs }) => nowMs - goneAtMs < goneShownMs)
    .slice(-maxGoneRows);
  return [...nodes.map((stats) => ({ stats })), ...gone].sort(byStart);
}

const byStart = (one: NodeRow, other: NodeRow): number =>
  one.stats.startedAtMs - other.stats.startedAtMs || (one.stats.nodeId < other.stats.nodeId ? -1 : 1);
