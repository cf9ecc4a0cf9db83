import type { RedisNode } from '@hushryd/platform/engines/redis-topology';
import { ownSentinels } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { checkFailovers } from './check-failovers.ts';

// A primary and its replica behind three sentinels, under the whole product: everybody waits, and nobody loses anything.

t.test('failovers behind sentinels', async (t) => {
  const { nodes, variables } = await ownSentinels(t);
  const [primary, replica] = nodes as [RedisNode, RedisNode];
  await checkFailovers(t, { variables, primary, replica, isOnShard: async () => true });
});
