import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { createSilenceWatch } from './watch-silence.ts';
import { createWriteBatch } from './write-batch.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const settings = (await testRedis(t)).settings({ partitions: 2 });
const { prefix } = settings;
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
t.test('a trip hears once that its driver fell silent and once that he is back; nobody else is told', async (t) => {
  const keys = createKeys({ ...settings, prefix: `${prefix}one:` });
  const writeBatch = createWriteBatch({ redis, keys });
  const nowMs = Date.now();
  const told: unknown[] = [];
  const watch = createSilenceWatch({
    redis,
    keys,
    publishEvent: async (topic, event) => {
      const { at: _, ...rest } = event as { at: string };
      told.push({ topic, ...rest });
      return { epoch: 'e', offset: told.length };
    },
  });
  const look = async (atMs = nowMs) => {
    for (let p = 0; p < keys.partitions; p += 1) await watch.look(p, { silentAfterMs: 30_000, nowMs: atMs });
    return told.splice(0);
  };
  const move = (driverId: string, seq: number, ageMs: number, tripId?: string) =>
    writeBatch(keys.driverPartition(driverId), [
      {
        driverId,
        ...(tripId !== undefined && { tripId }),
        run: 1,
        from: 1,
        drops: [],
        receivedAtMs: nowMs,
        fixes: [{ seq, recordedAtMs: nowMs - ageMs, lat: 41, lng: -8, live: true }],
      },
    ]);

  await move('silent', 1, 40_000, 'trip-1');
  await move('moving', 1, 2_000, 'trip-2');
  await move('free', 1, 60_000);

  const event = { topic: 'trip:trip-1', tripId: 'trip-1', driverId: 'silent' };
  t.strictSame(await look(), [{ ...event, name: 'driver.silent', lastFixAgeMs: 40_000 }]);
  t.strictSame(await look(), [], 'said once');
  await move('silent', 2, 0, 'trip-1');
  t.strictSame(await look(), [{ ...event, name: 'driver.heard' }]);
  t.strictSame(await look(), []);
  t.strictSame(
    await look(nowMs + 31_000),
    [
      { ...event, name: 'driver.silent', lastFixAgeMs: 31_000 },
      {
        ...event,
        topic: 'trip:trip-2',
        tripId: 'trip-2',
        driverId: 'moving',
        name: 'driver.silent',
        lastFixAgeMs: 33_000,
      },
    ].sort((a, b) => keys.driverPartition(a.driverId) - keys.driverPartition(b.driverId)),
  );

  await move('silent', 3, -31_000, 'trip-3');
  t.strictSame(await look(nowMs + 31_000), [], 'on another trip there is nothing to take back');
});

t.test('who was told but not noted, as when a worker dies in between, is told again', async (t) => {
  const keys = createKeys({ ...settings, prefix: `${prefix}two:` });
  const writeBatch = createWriteBatch({ redis, keys });
  const nowMs = Date.now();
  const told: string[] = [];
  let dies = true;
  const watch = createSilenceWatch({
    redis,
    keys,
    publishEvent: async (_topic, event) => {
      told.push((event as { name: string }).name);
      if (dies) throw new Error('the worker dies here');
      return { epoch: 'e', offset: 1 };
    },
  });
  const partition = keys.driverPartition('again');
  await writeBatch(partition, [
    {
      driverId: 'again',
      tripId: 'trip-9',
      run: 1,
      from: 1,
      drops: [],
      receivedAtMs: nowMs,
      fixes: [{ seq: 1, recordedAtMs: nowMs - 20_000, lat: 41, lng: -8, live: true }],
    },
  ]);
  const options = { silentAfterMs: 15_000, nowMs };
  await t.rejects(watch.look(partition, options));
  dies = false;
  await watch.look(partition, options);
  t.strictSame(told, ['driver.silent', 'driver.silent']);
});
