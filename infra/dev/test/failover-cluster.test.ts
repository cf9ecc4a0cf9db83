import type { RedisSettings } from '@hushryd/platform/config/shared-environment';
import type { RedisNode } from '@hushryd/platform/engines/redis-topology';
import { createKeys } from '@hushryd/platform/redis/keys';
import { ownCluster } from '@hushryd/platform/testing/engines';
import { Redis } from 'ioredis';
import t from 'tap';
import { checkFailovers } from './check-failovers.ts';

// A cluster of 3 + 3 under the whole product: the first shard loses its primary, its drivers wait and everybody else goes on.

t.test('failovers of one shard', async (t) => {
  const { nodes, variables } = await ownCluster(t);
  const [primary, , , replica] = nodes as [RedisNode, RedisNode, RedisNode, RedisNode];
  const isOnShard = async (settings: RedisSettings, driverId: string): Promise<boolean> => {
    const keys = createKeys(settings);
    const redis = new Redis({ port: primary.port });
    try {
      const slot = await redis.cluster('KEYSLOT', keys.positions(keys.driverPartition(driverId)));
      return slot < Math.ceil(16_384 / 3);
    } finally {
      redis.disconnect();
    }
  };
  await checkFailovers(t, { variables, primary, replica, isOnShard });
});
