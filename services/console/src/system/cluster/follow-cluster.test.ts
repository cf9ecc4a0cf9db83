import type { NodeStats, RealtimeStatsReply } from '@hushryd/contracts/http/realtime';
import tap from 'tap';
import { type Cluster, followCluster, goneShownMs, historyMs } from './follow-cluster.ts';
import { nodeStatusOf, silentForMs } from './node-status.ts';

const startMs = 1_700_000_000_000;

const node = (nodeId: string, more: Partial<NodeStats> = {}): NodeStats => ({
  nodeId,
  startedAtMs: startMs,
  atMs: startMs,
  isDraining: false,
  connections: 1,
  connectionsByRole: { rider: 1 },
  subscriptions: {},
  slowSockets: 0,
  upgrades: { accepted: 1 },
  closed: {},
  residentBytes: 1,
  ...more,
});

const answer = (nodes: NodeStats[]): RealtimeStatsReply => ({
  asOf: new Date(startMs).toISOString(),
  nodes,
  total: {
    nodes: nodes.length,
    connections: nodes.reduce((sum, { connections }) => sum + connections, 0),
    connectionsByRole: {},
    subscriptions: {},
    slowSockets: 0,
    upgrades: {},
    closed: {},
  },
});

function follow(answers: { nodes: NodeStats[]; afterMs: number }[]): Cluster {
  let cluster: Cluster | undefined;
  for (const { nodes, afterMs } of answers) {
    cluster = followCluster(cluster, { reply: answer(nodes), receivedAtMs: startMs + afterMs });
  }
  return cluster as Cluster;
}

const namesOf = ({ rows }: Cluster) =>
  rows.map(({ stats, goneAtMs }) => (goneAtMs === undefined ? stats.nodeId : `(${stats.nodeId})`));

tap.test('a node that leaves is shown as gone for a moment, in its place, and then no more', async (t) => {
  const both = [node('a'), node('b')];
  const alone = [node('b')];

  t.same(namesOf(follow([{ nodes: both, afterMs: 0 }])), ['a', 'b']);
  const left = [
    { nodes: both, afterMs: 0 },
    { nodes: alone, afterMs: 3_000 },
  ];
  t.same(namesOf(follow(left)), ['(a)', 'b']);
  t.same(namesOf(follow([...left, { nodes: alone, afterMs: 3_000 + goneShownMs }])), ['b']);
  t.same(namesOf(follow([...left, { nodes: both, afterMs: 6_000 }])), ['a', 'b'], 'it came back');
});

tap.test('rows keep their order whatever order the answer has; a new node comes last', async (t) => {
  const [a, b] = [node('a'), node('b')];
  const young = node('0', { startedAtMs: startMs + 1 });

  t.same(namesOf(follow([{ nodes: [b, young, a], afterMs: 0 }])), ['a', 'b', '0']);
});

tap.test('the history ends after ten minutes, and has a bound however often it is asked for', async (t) => {
  const often = Array.from({ length: 1_000 }, (_, index) => ({ nodes: [node('a')], afterMs: index }));
  const kept = follow(often).history;
  t.equal(kept.length, 256);
  t.equal(kept.at(-1)?.atMs, startMs + 999, 'the newest are kept');

  t.equal(follow([...often, { nodes: [], afterMs: 999 + historyMs }]).history.length, 1);
});

tap.test('nodes that come and go do not pile up', async (t) => {
  const restarts = Array.from({ length: 200 }, (_, index) => ({ nodes: [node(`n${index}`)], afterMs: index }));

  t.equal(follow(restarts).rows.length, 33);
});

tap.test('a silent node is late before it is gone; one that was told to drain has shut down', async (t) => {
  const clocks = { asOfMs: startMs + 500, receivedAtMs: 10_000 };
  const row = { stats: node('a') };

  t.equal(silentForMs(row, clocks, 10_000), 500, 'the two clocks are never mixed');
  t.equal(silentForMs(row, clocks, 13_000), 3_500, 'it grows while no answer comes');
  t.equal(nodeStatusOf(row, 3_500), 'up');
  t.equal(nodeStatusOf(row, 7_500), 'late');
  t.equal(nodeStatusOf({ ...row, goneAtMs: 1 }, 12_000), 'lost');
  const draining = { stats: node('a', { isDraining: true }) };
  t.equal(nodeStatusOf(draining, 3_500), 'draining');
  t.equal(nodeStatusOf({ ...draining, goneAtMs: 1 }, 12_000), 'left');
});
