import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createRealtimeNodes } from '@hushryd/platform/nodes/realtime-nodes';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createAccessLogReader } from '@hushryd/tracking/access-log/access-log';
import t from 'tap';
import { createEndConnection } from './end-connection.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const settings = (await testRedis(t)).settings({ partitions: 2 });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);
const soonMs = Date.now() + 600_000;
await redis.zadd(keys.realtimeNodes(), soonMs, 'node-up');
const endConnection = createEndConnection({ redis, keys, realtimeNodes: createRealtimeNodes({ redis, keys }) });
const within = { withinMs: 10_000 };

async function readOrders() {
  const reader = createAccessLogReader({ redis, keys });
  await reader.read();
  return { next: async () => (await reader.read()).endOrders };
}

t.test('a socket with a lease is gone once its node gave the lease up', async (t) => {
  const orders = await readOrders();
  await redis.zadd(keys.userSockets('zora'), soonMs, 'node-up.1');
  const ending = endConnection({ userId: 'zora', connectionId: 'node-up.1' });
  const [order] = await waitFor(
    async () => {
      const found = await orders.next();
      return found.length > 0 ? found : undefined;
    },
    { ...within, what: 'the order' },
  );
  t.strictSame(order, { userId: 'zora', connectionId: 'node-up.1' });
  await redis.zrem(keys.userSockets('zora'), 'node-up.1');
  t.equal(await ending, 'gone');
});

t.test('a socket without a lease is ordered to end, as it was opened while Redis was away', async (t) => {
  const orders = await readOrders();
  t.equal(await endConnection({ userId: 'zora', connectionId: 'node-up.2' }), 'ordered');
  t.strictSame(await orders.next(), [{ userId: 'zora', connectionId: 'node-up.2' }]);
});

t.test('nothing can be ordered of a node that is not up', async (t) => {
  const orders = await readOrders();
  await redis.zadd(keys.userSockets('zora'), soonMs, 'node-gone.3');
  await t.rejects(endConnection({ userId: 'zora', connectionId: 'node-gone.3' }), { code: 'not_found' });
  t.strictSame(await orders.next(), []);
});
