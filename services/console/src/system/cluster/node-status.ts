import type { Cluster, NodeRow } from './follow-cluster.ts';

export type NodeStatus = 'up' | 'late' | 'draining' | 'left' | 'lost';

/** In words; colour only repeats them. */
export const nodeStatusWords: Record<NodeStatus, string> = {
  up: 'Up',
  late: 'Late',
  draining: 'Draining',
  left: 'Shut down',
  lost: 'Gone',
};

/** A node speaks every 3 s and is given up after 10 s. This is two words that did not come, and a second for the way. */
const lateAfterMs = 7_000;

/** How long ago the node spoke, also while no answer comes. `nowMs` by this page's clock, whatever the server's says. */
export function silentForMs(
  { stats }: NodeRow,
  { asOfMs, receivedAtMs }: Pick<Cluster, 'asOfMs' | 'receivedAtMs'>,
  nowMs: number,
): number {
  return Math.max(0, asOfMs - stats.atMs + (nowMs - receivedAtMs));
}

/** A node that was draining has shut down as it was told; any other that is missing was killed, or cannot reach Redis. Pure. */
export function nodeStatusOf(row: NodeRow, silentMs: number): NodeStatus {
  const { isDraining } = row.stats;
  if (row.goneAtMs !== undefined) return isDraining ? 'left' : 'lost';
  if (silentMs > lateAfterMs) return 'late';
  return isDraining ? 'draining' : 'up';
}
