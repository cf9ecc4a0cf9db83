import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { createTimelineSchedule } from './seal-timelines.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });

t.test('one worker seals, another one when it is gone, and each where Redis cannot say whose turn it is', async (t) => {
  const settings = (await testRedis(t)).settings();
  const connections = await connectRedis({ settings, role: 'live', log });
  t.teardown(() => connections.close());
  const turns: string[] = [];
  const create = (workerId: string, redis = connections.commands) => {
    const sealer = { sealDue: async () => turns.push(workerId) };
    const schedule = createTimelineSchedule({
      redis,
      keys: createKeys(settings),
      workerId,
      sealer,
      everyMs: 1000,
      log,
    });
    t.teardown(() => schedule.close());
    return schedule;
  };
  const [first, second] = [create('first'), create('second')];

  for (const one of [first, second, first, second]) await one.runNow();
  t.strictSame(turns, ['first', 'first']);

  const isTaken = () => second.runNow().then(() => turns.includes('second'));
  await waitFor(isTaken, { withinMs: 20_000, what: 'the turn of the other worker' });
  await first.runNow();
  t.equal(turns.at(-1), 'second');

  await create('third', { set: () => Promise.reject(new Error('away')) } as never).runNow();
  t.equal(turns.at(-1), 'third');
});
