import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys, type Keys } from '@hushryd/platform/redis/keys';
import { assertLayout, finishLayout, markLayoutMoving } from '@hushryd/platform/redis/layout';
import { testRedis } from '@hushryd/platform/testing/engines';
import { listKeys } from '@hushryd/platform/testing/redis-variables';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t, { type Test } from 'tap';
import { createDriverStates } from '../driver-state/driver-states.ts';
import { createRaiseDurable } from '../history/raise-durable.ts';
import { createReadDurable } from '../history/read-durable.ts';
import { createPositionReader } from '../positions/read-position.ts';
import { createWriteBatch } from '../positions/write-batch.ts';
import { createRuns } from '../runs/allot-run.ts';
import { createAccessPublisher } from '../trip-access/publish-access.ts';
import { findServices } from './find-services.ts';
import { repartition } from './repartition.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const server = await testRedis(t);
const drivers = Array.from({ length: 300 }, (_, index) => `driver-${index}`);
const recordedAtMs = Date.now();

const connect = (partitions: number) =>
  connectRedis({ settings: server.settings({ partitions, commandTimeoutMs: 5000 }), role: 'live', log });
const tool = await connect(16);
t.teardown(() => tool.close());
const lines: string[] = [];
const redis = tool.commands;
const move = (to: number, client = redis) =>
  repartition({ redis: client, prefix: server.prefix, to, onProgress: (line) => lines.push(line) });

/** What services do over so many partitions, and what they find. */
async function openSystem(partitions: number) {
  const connections = await connect(partitions);
  const keys = createKeys(server.settings({ partitions }));
  const stores = { redis: connections.commands, keys };
  try {
    await assertLayout(stores);
  } catch (error) {
    await connections.close();
    throw error;
  }
  const runs = createRuns(stores);
  const readDurable = createReadDurable(stores);
  const reader = createPositionReader(stores);
  return {
    keys,
    close: () => connections.close(),
    writeBatch: createWriteBatch(stores),
    raiseDurable: createRaiseDurable(stores),
    driverStates: createDriverStates(stores),
    access: createAccessPublisher(stores),
    runs,
    async find(run: number) {
      const positions = await reader.readMany(drivers);
      const durable = await readDurable(drivers.map((driverId) => ({ driverId, run })));
      const newest = await Promise.all(
        drivers.map(async (driverId) => {
          const key = keys.runs(keys.driverPartition(driverId));
          return Number(await connections.commands.hget(key, driverId));
        }),
      );
      const states = await Promise.all(
        drivers.map((driverId) =>
          connections.commands.hget(keys.driverStates(keys.driverPartition(driverId)), driverId),
        ),
      );
      const revoked = await Promise.all(
        drivers.map((userId) =>
          connections.commands.hget(keys.revocations(keys.topicPartition(userTopic(userId))), userId),
        ),
      );
      return { positions, durable, newest, revoked, declared: states.filter((state) => state !== null).length };
    },
  };
}

type System = Awaited<ReturnType<typeof openSystem>>;

async function fill(system: System): Promise<number> {
  const { run } = await system.runs.hello({ driverId: 'driver-0' });
  for (const [index, driverId] of drivers.entries()) {
    await system.runs.hello({ driverId, run });
    await system.driverStates.set({ driverId, available: index % 2 === 0, version: 1 });
    const fixes = [{ seq: index + 1, recordedAtMs, lat: 41, lng: -8, live: true }];
    const group = { driverId, run, from: 1, drops: [], receivedAtMs: recordedAtMs, fixes };
    await redis.hset(
      system.keys.revocations(system.keys.topicPartition(userTopic(driverId))),
      driverId,
      `{"of":${index}}`,
    );
    const partition = system.keys.driverPartition(driverId);
    await system.writeBatch(partition, [group]);
    await system.raiseDurable(partition, [{ ...group, from: index + 1 }], recordedAtMs);
  }
  const access: TripAccess = { tripId: 'trip', version: 3, state: 'active', driverId: 'driver-0', passengerIds: [] };
  await system.access.publish({ access });
  return run;
}

/** The worker has stored what waited: streams are trimmed to nothing. */
async function emptyStreams(keys: Keys): Promise<void> {
  for (let p = 0; p < keys.partitions; p += 1) await redis.xtrim(keys.fixes(p), 'MAXLEN', 0);
}

const isRefused = (t: Test, result: object, reason: RegExp) => t.match(result, { refused: reason });

t.test('16 partitions become 24, and 16 again, and everything is found', async (t) => {
  const before = await openSystem(16);
  const run = await fill(before);
  const wanted = await before.find(run);
  t.equal(wanted.declared, drivers.length);
  t.equal(wanted.positions.size, drivers.length);
  t.notOk(wanted.revoked.includes(null));
  t.strictSame(
    wanted.durable,
    drivers.map((_, index) => index + 1),
  );

  isRefused(t, await move(24), /services run \(0 realtime nodes, 0 workers, 1 connections\): stop them all/);
  await before.close();
  await gone();
  isRefused(t, await move(24), /fixes wait for history in 16 partitions/);
  await emptyStreams(before.keys);
  t.strictSame(lines, [], 'nothing was begun');

  const elsewhere = createKeys(server.settings({ partitions: 24 }));
  await markLayoutMoving({ redis, keys: elsewhere, from: 16, to: 24 });
  await finishLayout({ redis, keys: elsewhere, all: elsewhere });
  const control = await openSystem(24);
  t.notSame(await control.find(run), wanted, 'control: with the layout alone changed, things are not found');
  await control.close();
  await gone();
  await finishLayout({ redis, keys: before.keys, all: elsewhere });

  const there = await move(24);
  t.match(there, { from: 16 });
  t.ok('moved' in there && there.moved > drivers.length, JSON.stringify(there));
  await t.rejects(openSystem(16), { name: 'ConfigError' }, 'the old number is refused');
  await gone();
  const after = await openSystem(24);
  t.strictSame(await after.find(run), wanted);
  t.equal(await redis.get(after.keys.tripAccess('trip')), null, 'access records are published anew');
  await after.close();
  await gone();

  await move(16);
  const again = await openSystem(16);
  t.strictSame(await again.find(run), wanted);
  await again.close();
  await gone();
  const left = (await listKeys(redis, server.prefix)).filter((key) => /\{[pt](1[6-9]|2\d)\}/.test(key));
  t.strictSame(left, [], 'nothing stays in partitions that are no more');
  t.match(await move(16), { from: 16, moved: 0 }, 'there is nothing to do');
});

t.test('interrupted anywhere, nothing starts on it, and another run ends it', async (t) => {
  const before = await openSystem(16);
  const { newest } = await before.find(0);
  const wanted = await before.find(newest[0] as number);
  await before.close();
  await gone();

  let isEnded = false;
  for (let step = 3; !isEnded; step = Math.ceil(step * 1.7)) {
    const result = await move(24, breaksAfter(step)).catch((error: Error) => error.message);
    isEnded = typeof result === 'object';
    if (result !== 'interrupted') continue;
    for (const partitions of [16, 24]) {
      const layout = await redis.get(before.keys.layout(0));
      if (layout?.includes('>')) await t.rejects(openSystem(partitions), /16>24|24>24/, `after ${step} commands`);
    }
    await gone();
  }
  const after = await openSystem(24);
  t.strictSame(await after.find(newest[0] as number), wanted);
  await after.close();
  await gone();

  await t.test('half way there, it can go back', async (t) => {
    t.equal(await move(8, breaksAfter(60)).catch((error: Error) => error.message), 'interrupted');
    t.match(await move(16), { from: 24 });
    const back = await openSystem(16);
    t.strictSame(await back.find(newest[0] as number), wanted);
    await back.close();
  });
});

/** Connections end a moment after they were closed. */
async function gone(): Promise<void> {
  const keys = createKeys(server.settings());
  await waitFor(async () => (await findServices({ redis, keys })) === undefined, {
    withinMs: 20_000,
    what: 'the end of closed connections',
  });
}

/** The connection is lost after so many writes and reads. */
function breaksAfter(commands: number): typeof redis {
  let left = commands;
  return new Proxy(redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const isCounted = ['set', 'unlink', 'hset', 'hdel', 'hscanBuffer'].includes(String(name));
      return (...args: unknown[]) => {
        if (isCounted) left -= 1;
        if (isCounted && left < 0) return Promise.reject(new Error('interrupted'));
        return (value as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}
