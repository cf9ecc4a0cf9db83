import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testRedis } from '@hushryd/platform/testing/engines';
import { createRaiseDurable } from '@hushryd/tracking/history/raise-durable';
import t from 'tap';
import { createForgetDurableSchedule } from './forget-durable.ts';

const hourMs = 3_600_000;

t.test('how far a run was durable is kept for 24 hours after its last fix', async (t) => {
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const settings = (await testRedis(t)).settings({ partitions: 2 });
  const connections = await connectRedis({ settings, role: 'live', log });
  t.teardown(() => connections.close());
  const redis = connections.commands;
  const keys = createKeys(settings);
  const raiseDurable = createRaiseDurable({ redis, keys });
  const nowMs = Date.now();
  const raise = (partition: number, driverId: string, hoursAgo: number) =>
    raiseDurable(
      partition,
      [{ driverId, run: 1, from: 1, receivedAtMs: 0, drops: [1], fixes: [] }],
      nowMs - hoursAgo * hourMs,
    );
  await Promise.all([raise(0, 'old', 24.1), raise(0, 'recent', 23.9), raise(1, 'of-another-worker', 48)]);
  await raise(0, 'came-back', 48);
  await raise(0, 'came-back', 1);

  const schedule = createForgetDurableSchedule({ redis, keys, partitions: new Set([0]), log });
  t.teardown(() => schedule.close());
  await schedule.runNow();

  t.strictSame((await redis.hkeys(keys.durable(0))).sort(), ['came-back:1', 'recent:1']);
  t.strictSame(await redis.hkeys(keys.durable(1)), ['of-another-worker:1']);
});
