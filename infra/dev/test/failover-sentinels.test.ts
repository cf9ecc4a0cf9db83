import type { RedisNode } from '@hushryd/platform/engines/redis-topology';
import { ownSentinels } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { checkFailovers } from './check-failovers.ts';

// A primary and its replica behind three sentinels, under the whole product: everybody waits, and nobody loses anything.

const skip = process.env.HUSHRYD_FULL === '1' ? false : 'failovers under load are in the full set: npm run test:faults';

t.test('failovers behind sentinels', { skip }, async (t) => {
  const { nodes, variables } = await ownSentinels(t);
  const [primary, replica] = nodes as [RedisNode, RedisNode];
  await checkFailovers(t, { variables, primary, replica, isOnShard: async () => true });
});
