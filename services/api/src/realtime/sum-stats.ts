import type { NodeStats, RealtimeStatsReply } from '@hushryd/contracts/http/realtime';

/** One answer for all nodes. Pure. */
export function sumStats(nodes: readonly NodeStats[]): RealtimeStatsReply['total'] {
  const sum = (read: (node: NodeStats) => number) => nodes.reduce((total, node) => total + read(node), 0);
  const sumCounts = (read: (node: NodeStats) => Record<string, number>) => {
    const total: Record<string, number> = {};
    for (const node of nodes) {
      for (const [name, count] of Object.entries(read(node))) total[name] = (total[name] ?? 0) + count;
    }
    return total;
  };
  return {
    nodes: nodes.length,
    connections: sum((node) => node.connections),
    connectionsByRole: sumCounts((node) => node.connectionsByRole),
    subscriptions: sumCounts((node) => node.subscriptions),
    slowSockets: sum((node) => node.slowSockets),
    upgrades: sumCounts((node) => node.upgrades),
    closed: sumCounts((node) => node.closed),
  };
}
