import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { findServices } from './find-services.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const settings = (await testRedis(t)).settings();
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);

t.test('who is up is found, whatever clock this process has', async (t) => {
  const { now } = Date;
  t.teardown(() => {
    Date.now = now;
  });
  await redis.zadd(keys.realtimeNodes(), now() + 10_000, 'node-1', now() - 5000, 'node-2');
  await redis.zadd(keys.workers(), now() + 10_000, 'worker-1', now() - 5000, 'worker-2');

  for (const aheadMs of [0, 3_600_000, -3_600_000]) {
    Date.now = () => now() + aheadMs;
    const found = await findServices({ redis, keys });
    Date.now = now;
    t.match(found, '1 realtime nodes, 1 workers', `${aheadMs} ms ahead`);
  }
});
