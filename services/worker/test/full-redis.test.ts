import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectMongo } from '@hushryd/platform/mongo/connect';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { assertLayout } from '@hushryd/platform/redis/layout';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { ownRedis, testMongo } from '@hushryd/platform/testing/engines';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createReadDurable } from '@hushryd/tracking/history/read-durable';
import { createTrackReader } from '@hushryd/tracking/history/read-track';
import { createWriteBatch } from '@hushryd/tracking/positions/write-batch';
import t from 'tap';
import { declareCollections } from '../src/collections.ts';
import { readConfig } from '../src/config.ts';
import { startWorker } from '../src/worker.ts';

const log = createLogger({ service: 'worker', instanceId: 'test', level: 'silent' });
const engine = await ownRedis(t);
const { url: MONGODB_URL, database: MONGODB_DATABASE } = await testMongo(t);
const config = readConfig({
  REDIS_URL: engine.url,
  REDIS_PREFIX: 'test:',
  ...createTestFieldKeys(),
  MONGODB_URL,
  MONGODB_DATABASE,
  MONGODB_MIN_POOL_SIZE: '0',
  METRICS_PORT: '0',
  ...createTestFieldKeys(),
  // Scripts and connections of queues would take what the fixes give back.
  ENABLE_MESSAGE_QUEUE: 'false',
  // Longer than a lease: what is stored at the end of it was stored by somebody who could renew.
  HISTORY_FLUSH_MS: '600',
  HISTORY_FLUSH_FIXES: '10000',
  HISTORY_POLL_MS: '20',
  PARTITION_LEASE_MS: '250',
});
const mongo = connectMongo({ settings: config.mongo, log });
t.teardown(() => mongo.close());
await ensureCollections(mongo.db, declareCollections(config));
const connections = await connectRedis({ settings: config.redis, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(config.redis);
const writeBatch = createWriteBatch({ redis, keys });
const readDurable = createReadDurable({ redis, keys });

const run = Date.now() - 100_000;
const driverId = 'driver';
const partition = keys.driverPartition(driverId);
const fixesAtOnce = 500;
let writtenSeq = 0;

/** @returns whether Redis took them */
async function write(count: number): Promise<boolean> {
  const seqs = Array.from({ length: count }, (_, index) => writtenSeq + index + 1);
  const fixes = seqs.map((seq) => ({ seq, recordedAtMs: run + seq, lat: 41, lng: -8, live: true }));
  const group = { driverId, tripId: 'trip', run, from: 1, drops: [], receivedAtMs: Date.now(), fixes };
  try {
    await writeBatch(partition, [group]);
  } catch (error) {
    t.match(error, { code: 'redis_unavailable', retryable: true }, 'refused in a way that phones try again');
    return false;
  }
  writtenSeq += count;
  return true;
}

const durableReaches = (seq: number) =>
  waitFor(async () => (await readDurable([{ driverId, run }]))[0] === seq, {
    withinMs: 60_000,
    what: `durable seq ${seq}`,
  });
const usedBytes = async () => Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
const limitTo = (bytes: number) => redis.config('SET', 'maxmemory', bytes);

t.test('a Redis that fixes have filled empties into MongoDB by itself, and loses none it took', async (t) => {
  await assertLayout({ redis, keys });
  // Only fixes are to fill what is left, not the figures that Redis keeps of each command it sees for the first time.
  await redis.config('SET', 'latency-tracking', 'no');
  await write(1);
  const limitBytes = (await usedBytes()) + 150_000;
  await limitTo(limitBytes);
  while (await write(fixesAtOnce)) t.ok(writtenSeq < 100_000, 'there is a limit');
  const fullBytes = await usedBytes();

  const lifecycle = createLifecycle({ log, timeoutMs: 10_000 });
  t.teardown(() => lifecycle.close('test'));
  const telemetry = createTelemetry({ service: 'worker', instanceId: 'test', withProcessMetrics: false });
  await startWorker({ config, workerId: 'worker', mongo, lifecycle, telemetry, log });
  await durableReaches(writtenSeq);
  await waitFor(async () => (await redis.xlen(keys.fixes(partition))) === 0, { withinMs: 60_000, what: 'trimming' });
  t.ok((await usedBytes()) < fullBytes - 50_000, 'memory is free again');

  t.ok(await write(1), 'and so are fixes welcome');
  await limitTo(1);
  t.notOk(await write(1), 'full again, whatever is trimmed');
  await durableReaches(writtenSeq);
  t.equal(await redis.get(keys.historyOwner(partition)), 'worker', 'the lease holds without any memory');
  await limitTo(0);
  t.ok(await write(1));
  await durableReaches(writtenSeq);

  const tracks = createTrackReader({ redis, keys, db: mongo.db, deadlineMs: 5000 });
  const { fixes } = await tracks.readTrack({ tripId: 'trip', driverId, limit: writtenSeq + 1 });
  t.equal(fixes.length, writtenSeq);
  t.equal(fixes.at(-1)?.seq, writtenSeq);
});
