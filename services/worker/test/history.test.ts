import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectMongo } from '@hushryd/platform/mongo/connect';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import { listKeys } from '@hushryd/platform/testing/redis-variables';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createDriverStore } from '@hushryd/rides/people/driver-store';
import { createDurableFeed } from '@hushryd/tracking/history/durable-feed';
import { createReadDurable } from '@hushryd/tracking/history/read-durable';
import { createTrackReader } from '@hushryd/tracking/history/read-track';
import { createRoadStore } from '@hushryd/tracking/history/road-store';
import { createPositionReader } from '@hushryd/tracking/positions/read-position';
import { createWriteBatch, type FixGroup } from '@hushryd/tracking/positions/write-batch';
import type { Db } from 'mongodb';
import t, { type Test } from 'tap';
import { declareCollections } from '../src/collections.ts';
import { readConfig } from '../src/config.ts';
import { startWorker } from '../src/worker.ts';

const log = createLogger({ service: 'worker', instanceId: 'test', level: 'warn' });
const testServer = await testRedis(t);
const { url: MONGODB_URL, database: MONGODB_DATABASE } = await testMongo(t);
const variables = {
  ...testServer.variables,
  ...createTestFieldKeys(),
  MONGODB_URL,
  MONGODB_DATABASE,
  MONGODB_MIN_POOL_SIZE: '0',
  METRICS_PORT: '0',
  ...createTestFieldKeys(),
  HISTORY_FLUSH_MS: '20',
  HISTORY_POLL_MS: '10',
  PARTITION_LEASE_MS: '1000',
};
const config = readConfig(variables);
const mongo = connectMongo({ settings: config.mongo, log });
t.teardown(() => mongo.close());
await ensureCollections(mongo.db, declareCollections(config));
const connections = await connectRedis({ settings: config.redis, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(config.redis);
const writeBatch = createWriteBatch({ redis, keys });
const readDurable = createReadDurable({ redis, keys });
const tracks = createTrackReader({ redis, keys, db: mongo.db, deadlineMs: 5000 });

const startedAtMs = Date.now() - 10_000;
const run = startedAtMs;

const groupOf = (driverId: string, seqs: number[], from = 1, drops: number[] = []): FixGroup => ({
  driverId,
  tripId: `trip-of-${driverId}`,
  run,
  from,
  drops,
  receivedAtMs: Date.now(),
  fixes: seqs.map((seq) => ({
    seq,
    recordedAtMs: startedAtMs + seq * 10,
    lat: 41.1 + seq / 1000,
    lng: -8.6,
    speedMps: 10,
    live: true,
  })),
});

const write = (group: FixGroup) => writeBatch(keys.driverPartition(group.driverId), [group]);
const durableReaches = (driverId: string, seq: number) =>
  waitFor(async () => (await readDurable([{ driverId, run }]))[0] === seq, {
    withinMs: 10_000,
    what: `durable seq ${seq} of ${driverId}`,
  });

const streamIsEmpty = (driverId: string) =>
  waitFor(async () => (await redis.xlen(keys.fixes(keys.driverPartition(driverId)))) === 0, {
    withinMs: 10_000,
    what: 'the trimmed stream',
  });

let workers = 0;
async function startTestWorker(t: Test, changes: Record<string, string> = {}) {
  workers += 1;
  const workerId = `worker-${workers}`;
  const lifecycle = createLifecycle({ log, timeoutMs: 10_000 });
  t.teardown(() => lifecycle.close('test'));
  const telemetry = createTelemetry({ service: 'worker', instanceId: workerId, withProcessMetrics: false });
  await startWorker({
    config: readConfig({ ...variables, ...changes }),
    workerId,
    mongo,
    lifecycle,
    telemetry,
    log,
  });
  return { workerId, close: lifecycle.close };
}

async function insertActiveTrip(db: Db) {
  const trip = {
    _id: `trip-${startedAtMs}`,
    state: 'active',
    driverId: 'driver-of-trip',
    passengerIds: ['rider'],
    version: 2,
    startedAt: new Date(),
    createdAt: new Date(),
    changedAt: new Date(),
  };
  await db.collection<typeof trip>('trips').insertOne(trip, { writeConcern: { w: 'majority' } });
  return trip;
}

t.test('fixes written before a worker was up become durable once it is, and the stream is trimmed', async (t) => {
  await write(groupOf('early', [1, 2, 3]));
  await startTestWorker(t);

  await durableReaches('early', 3);
  const track = await tracks.readTrack({ tripId: 'trip-of-early', driverId: 'early', limit: 10 });
  t.strictSame(
    track.fixes.map(({ seq, lat }) => [seq, lat]),
    [
      [1, 41.101],
      [2, 41.102],
      [3, 41.103],
    ],
  );
  await streamIsEmpty('early');
});

t.test('a fix that was stored twice is read once', async (t) => {
  await startTestWorker(t);
  const group = groupOf('twice', [1, 2]);
  // Both calls reach Redis before anything is durable, as a phone does that got no answer in time.
  await Promise.all([write(group), write(group)]);
  await durableReaches('twice', 2);
  await streamIsEmpty('twice');
  t.equal(await mongo.db.collection('location_history').countDocuments({ 'meta.driverId': 'twice' }), 4);

  const { fixes } = await tracks.readTrack({ tripId: 'trip-of-twice', driverId: 'twice', limit: 10 });
  t.strictSame(
    fixes.map(({ seq }) => seq),
    [1, 2],
  );
});

t.test('what is durable is a duplicate from then on and goes nowhere', async (t) => {
  await startTestWorker(t);
  await write(groupOf('again', [1, 2]));
  await durableReaches('again', 2);
  await streamIsEmpty('again');

  await write(groupOf('again', [1, 2, 3]));
  await durableReaches('again', 3);
  t.equal(await mongo.db.collection('location_history').countDocuments({ 'meta.driverId': 'again' }), 3);
});

t.test('a hole stops the durable seq, and the phone is asked for what is missing', async (t) => {
  await startTestWorker(t);
  const resends: [string, number, number][] = [];
  const feed = createDurableFeed({
    connections,
    keys,
    onDurable: () => undefined,
    onResend: (...resend) => resends.push(resend),
    log,
  });
  await feed.start();
  t.teardown(() => feed.close());

  await write(groupOf('holey', [1, 2]));
  await durableReaches('holey', 2);
  await write(groupOf('holey', [5, 6]));
  await waitFor(() => resends.some(([driverId, , from]) => driverId === 'holey' && from === 3), {
    withinMs: 10_000,
    what: 'a request to send from seq 3 on again',
  });
  t.strictSame(await readDurable([{ driverId: 'holey', run }]), [2], 'nothing above the hole counts');

  await write(groupOf('holey', [3, 4, 5, 6]));
  await durableReaches('holey', 6);
  const { fixes } = await tracks.readTrack({ tripId: 'trip-of-holey', driverId: 'holey', limit: 10 });
  t.strictSame(
    fixes.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6],
  );
});

t.test('dropped seqs and seqs that the phone no longer keeps do not hold back the durable seq', async (t) => {
  await startTestWorker(t);
  await write(groupOf('dropper', [1, 4], 1, [2, 3]));
  await durableReaches('dropper', 4);
  await write(groupOf('dropper', [20], 20));
  await durableReaches('dropper', 20);
});

t.test('a track on the way to MongoDB is complete, in pages, and each page goes on where the last ended', async (t) => {
  await write(groupOf('paged', [1, 2, 3, 4]));
  const worker = await startTestWorker(t);
  await durableReaches('paged', 4);
  await worker.close('test');
  await write(groupOf('paged', [5, 6]));

  const whole = await tracks.readTrack({ tripId: 'trip-of-paged', driverId: 'paged', limit: 10 });
  t.equal(whole.tail, 'complete');
  t.strictSame(
    whole.fixes.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6],
  );

  const first = await tracks.readTrack({ tripId: 'trip-of-paged', driverId: 'paged', limit: 3 });
  t.strictSame(
    first.fixes.map(({ seq }) => seq),
    [1, 2, 3],
  );
  t.equal(first.tail, 'truncated', 'what is on its way does not fit, and no other page has it');
  const second = await tracks.readTrack({
    tripId: 'trip-of-paged',
    driverId: 'paged',
    limit: 3,
    cursor: first.nextCursor ?? '',
  });
  t.equal(second.tail, 'none');
  t.strictSame(
    second.fixes.map(({ seq }) => seq),
    [4],
  );

  const pages: number[][] = [];
  for await (const page of tracks.readPages({ tripId: 'trip-of-paged', driverId: 'paged', limit: 3 })) {
    pages.push(page.map(({ seq }) => seq));
  }
  t.strictSame(
    pages,
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    'the whole of it has what is on its way at its end',
  );
  await t.rejects(tracks.readTrack({ tripId: 'x', driverId: 'x', limit: 1, cursor: 'nonsense' }), {
    code: 'cursor_invalid',
  });
});

t.test('two workers share the partitions, and one takes over what the other leaves', async (t) => {
  const first = await startTestWorker(t);
  const held = async (workerId: string) => {
    const holders = await Promise.all(
      Array.from({ length: keys.partitions }, (_, p) => redis.get(keys.historyOwner(p))),
    );
    return holders.filter((holder) => holder === workerId).length;
  };
  const holds = (workerId: string, count: number) =>
    waitFor(async () => (await held(workerId)) === count, {
      withinMs: 10_000,
      what: `${count} partitions of ${workerId}`,
    });
  await holds(first.workerId, keys.partitions);
  const second = await startTestWorker(t);
  await holds(first.workerId, keys.partitions / 2);
  await holds(second.workerId, keys.partitions / 2);
  await first.close('test');
  await holds(second.workerId, keys.partitions);
});

t.test(
  'history goes on after Redis was emptied, and the durable seq starts at what the phone still keeps',
  async (t) => {
    await startTestWorker(t);
    await write(groupOf('flushed', [1, 2, 3]));
    await durableReaches('flushed', 3);
    const all = await listKeys(redis, testServer.prefix);
    await Promise.all(all.map((key) => redis.del(key)));

    await write(groupOf('flushed', [3, 4], 3));
    await durableReaches('flushed', 4);
    const { fixes } = await tracks.readTrack({ tripId: 'trip-of-flushed', driverId: 'flushed', limit: 10 });
    t.strictSame(
      fixes.map(({ seq }) => seq),
      [1, 2, 3, 4],
    );
  },
);

t.test('a driver who is silent for too long leaves the positions, one who speaks stays', async (t) => {
  await write(groupOf('silent', [1]));
  await write({
    ...groupOf('talking', [1]),
    fixes: [{ seq: 1, recordedAtMs: Date.now() + 60_000, lat: 1, lng: 1, live: true }],
  });
  await startTestWorker(t, { SILENT_AFTER_MS: '5000', SILENT_CHECK_MS: '20' });

  const positions = createPositionReader({ redis, keys });
  await waitFor(async () => (await positions.read('silent')) === null, {
    withinMs: 10_000,
    what: 'the silent driver leaving',
  });
  t.ok(await positions.read('talking'));
});

t.test('trip access and driver states that Redis lost are published again', async (t) => {
  const changedAt = new Date();
  const drivers = createDriverStore({ db: mongo.db, region: 'test' });
  await drivers.declare({ driverId: 'declared', available: true, changedAt });
  const { _id: tripId } = await insertActiveTrip(mongo.db);

  await startTestWorker(t, { REPUBLISH_CHANGED_MS: '20' });
  const isBack = async () => (await redis.get(keys.tripAccess(tripId))) !== null;
  await waitFor(isBack, { withinMs: 10_000, what: 'the access record' });
  const states = keys.driverStates(keys.driverPartition('declared'));
  await waitFor(() => redis.hexists(states, 'declared'), { withinMs: 10_000, what: 'the driver state' });
});

t.test('roads are learned from consecutive fixes of a trip, without driver or time of day', async (t) => {
  await startTestWorker(t, { ROADS_FOLD_MS: '20' });
  await write(groupOf('roadie', [1, 2, 3]));
  const roads = createRoadStore({ db: mongo.db, deadlineMs: 5000 });
  const box = { west: -8.61, south: 41.1005, east: -8.59, north: 41.1035, limit: 10 };
  const found = await waitFor(
    async () => {
      const read = await roads.read(box);
      return read.length >= 2 ? read : undefined;
    },
    { withinMs: 10_000, what: 'two road segments' },
  );
  t.ok(found.every(({ coordinates, passes }) => coordinates.length === 2 && passes >= 1));
  const stored = await mongo.db.collection('roads').findOne({});
  t.strictSame(Object.keys(stored ?? {}).sort(), ['_id', 'lastDay', 'line', 'middle', 'passes']);
});
