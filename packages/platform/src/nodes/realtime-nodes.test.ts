import t from 'tap';
import { createLogger } from '../logging/create-logger.ts';
import { connectRedis } from '../redis/connect.ts';
import { createKeys } from '../redis/keys.ts';
import { testRedis } from '../testing/engines.ts';
import { createRealtimeNodes } from './realtime-nodes.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const settings = (await testRedis(t)).settings();
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);

t.test('a user’s sockets are those whose lease lasts, whatever clock this process has', async (t) => {
  const { now } = Date;
  t.teardown(() => {
    Date.now = now;
  });
  await redis.zadd(keys.realtimeNodes(), now() + 60_000, 'node-1');
  await redis.zadd(
    keys.userSockets('anna'),
    now() + 60_000,
    'node-1.1',
    now() - 1000,
    'node-1.2',
    now() + 60_000,
    'dead.1',
  );

  for (const aheadMs of [0, 3_600_000, -3_600_000]) {
    Date.now = () => now() + aheadMs;
    const sockets = await createRealtimeNodes({ redis, keys }).socketsOf('anna');
    Date.now = now;
    t.strictSame(
      sockets.map(({ connectionId }) => connectionId),
      ['node-1.1'],
      `${aheadMs} ms ahead`,
    );
  }
});
