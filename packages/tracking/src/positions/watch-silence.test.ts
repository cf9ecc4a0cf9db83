import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createFakeClock } from '@hushryd/platform/testing/clock';
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
    for (let p = 0; p < keys.partitions; p += 1)
      await watch.look(p, { silentAfterMs: 30_000, liveMaxAgeMs: 0, nowMs: atMs });
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
  const options = { silentAfterMs: 15_000, liveMaxAgeMs: 0, nowMs };
  await t.rejects(watch.look(partition, options));
  dies = false;
  await watch.look(partition, options);
  t.strictSame(told, ['driver.silent', 'driver.silent']);
});

/** One partition, one driver on a trip, and a clock that moves when told to. */
function createStage(name: string, { scansTwice = false } = {}) {
  const keys = createKeys({ ...settings, prefix: `${prefix}${name}:`, partitions: 1 });
  const writeBatch = createWriteBatch({ redis, keys });
  const clock = createFakeClock(Date.now());
  const told: string[] = [];
  const awayTopics = new Set<string>();
  const scan = async (key: string, cursor: string) => {
    const [next, entries] = await redis.hscanBuffer(key, cursor);
    return [next, scansTwice ? [...entries, ...entries] : entries];
  };
  let seq = 0;
  const openWatch = () => {
    const watch = createSilenceWatch({
      redis: new Proxy(redis, {
        get(real, name) {
          const value = Reflect.get(real, name) as unknown;
          if (name === 'hscanBuffer') return scan;
          return typeof value === 'function' ? value.bind(real) : value;
        },
      }),
      keys,
      async publishEvent(topic, event) {
        if (awayTopics.has(topic)) throw new Error('away');
        told.push(`${topic} ${(event as { name: string }).name}`);
        return { epoch: 'e', offset: told.length };
      },
    });
    return async () => {
      await watch.look(0, { silentAfterMs: 30_000, liveMaxAgeMs: 30_000, nowMs: clock.now() });
      return told.splice(0);
    };
  };
  return {
    clock,
    told,
    awayTopics,
    openWatch,
    noted: () => redis.hgetall(keys.silentDrivers(0)),
    gone: (driverId: string) => redis.hdel(keys.positions(0), driverId),
    speak(driverId: string, { behindMs = 0 } = {}) {
      seq += 1;
      const fix = { seq, recordedAtMs: clock.now() - behindMs, lat: 41, lng: -8, live: true };
      const group = { driverId, tripId: `of-${driverId}`, run: 1, from: 1, drops: [], receivedAtMs: clock.now() };
      return writeBatch(0, [{ ...group, fixes: [fix] }]);
    },
  };
}

t.test('a phone whose clock is wrong is not silent while it speaks, and is when it does not', async (t) => {
  for (const behindMs of [29_000, 0, -29_000]) {
    const { clock, speak, openWatch } = createStage(`clock${behindMs}`);
    const look = openWatch();
    for (let second = 0; second < 60; second += 5) {
      await speak('slow', { behindMs });
      clock.advance(4_000);
      t.strictSame(await look(), [], `${behindMs} ms behind, after ${second} s`);
      clock.advance(1_000);
    }
    clock.advance(24_000);
    t.strictSame(await look(), []);
    clock.advance(5_000);
    t.strictSame(await look(), ['trip:of-slow driver.silent']);
    await speak('slow', { behindMs });
    t.strictSame(await look(), ['trip:of-slow driver.heard']);
  }
});

t.test('another worker that goes on calls nobody silent who speaks, and nobody heard who does not', async (t) => {
  const { clock, speak, openWatch } = createStage('goes-on');
  const first = openWatch();
  await speak('quiet');
  await first();
  clock.advance(31_000);
  await speak('slow', { behindMs: 29_000 });
  t.strictSame(await first(), ['trip:of-quiet driver.silent']);

  const second = openWatch();
  clock.advance(5_000);
  t.strictSame(await second(), []);
  await speak('slow', { behindMs: 29_000 });
  await speak('quiet', { behindMs: 29_000 });
  t.strictSame(await second(), ['trip:of-quiet driver.heard']);
});

t.test('a driver whom the scan shows twice is told of once', async (t) => {
  const { clock, speak, openWatch } = createStage('twice', { scansTwice: true });
  const look = openWatch();
  await speak('dora');
  await look();
  clock.advance(31_000);
  t.strictSame(await look(), ['trip:of-dora driver.silent']);
  await speak('dora');
  t.strictSame(await look(), ['trip:of-dora driver.heard']);
});

t.test('a driver who never comes back is forgotten after a day, whoever else falls silent meanwhile', async (t) => {
  const { clock, speak, openWatch, gone, noted } = createStage('forgotten');
  const look = openWatch();
  await speak('left');
  await look();
  clock.advance(31_000);
  await look();
  await gone('left');
  for (let hour = 0; hour < 25; hour += 1) {
    await speak(`hour-${hour}`);
    await look();
    clock.advance(3_600_000);
    await look();
  }
  const drivers = Object.keys(await noted());
  t.notOk(drivers.includes('left'));
  t.ok(drivers.includes('hour-10'));
});

t.test('a trip whose shard is away keeps no other from being told', async (t) => {
  const { clock, speak, openWatch, awayTopics, told } = createStage('away');
  const look = openWatch();
  for (const driverId of ['anna', 'dora', 'emma']) await speak(driverId);
  await look();
  clock.advance(31_000);
  awayTopics.add('trip:of-dora');
  await t.rejects(look());
  t.strictSame(told.splice(0).sort(), ['trip:of-anna driver.silent', 'trip:of-emma driver.silent']);
  awayTopics.clear();
  t.strictSame(await look(), ['trip:of-dora driver.silent']);
});
