import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectMongo } from '@hushryd/platform/mongo/connect';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { assertLayout } from '@hushryd/platform/redis/layout';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createRevocationStore } from '@hushryd/rides/people/revocation-store';
import t from 'tap';
import { declareCollections } from '../src/collections.ts';
import { readConfig } from '../src/config.ts';
import { startWorker } from '../src/worker.ts';

const within = { withinMs: 10_000 };
const log = createLogger({ service: 'worker', instanceId: 'test', level: 'silent' });
const { variables } = await testRedis(t);
const { url: MONGODB_URL, database: MONGODB_DATABASE } = await testMongo(t);
const stores = { ...variables, MONGODB_URL, MONGODB_DATABASE, MONGODB_MIN_POOL_SIZE: '0', METRICS_PORT: '0' };
const config = readConfig({ ...stores, ...createTestFieldKeys() });
const mongo = connectMongo({ settings: config.mongo, log });
t.teardown(() => mongo.close());
await ensureCollections(mongo.db, declareCollections(config));
const connections = await connectRedis({ settings: config.redis, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(config.redis);
const partitions = Array.from({ length: keys.partitions }, (_, partition) => partition);

/** How many partitions have this key. */
async function count(keyOf: (partition: number) => string): Promise<number> {
  const found = await Promise.all(partitions.map((partition) => redis.exists(keyOf(partition))));
  return found.filter((exists) => exists === 1).length;
}

t.test('what Redis lost is back at once, also where a process that starts claims it first', async (t) => {
  const store = createRevocationStore({ db: mongo.db, deadlineMs: 5000 });
  await store.revokeAll({ userId: 'rita', reason: 'banned', nowMs: Date.now() });
  const lifecycle = createLifecycle({ log, timeoutMs: 10_000 });
  t.teardown(() => lifecycle.close('test'));
  const telemetry = createTelemetry({ service: 'worker', instanceId: 'test', withProcessMetrics: false });
  await startWorker({ config, workerId: 'worker-1', mongo, lifecycle, telemetry, log });
  await waitFor(async () => (await count(keys.filled)) === keys.partitions, { ...within, what: 'a first filling' });
  t.equal(await count(keys.revocations), 1);

  const lost = partitions.flatMap((p) => [keys.filled(p), keys.revocations(p), keys.layout(p)]);
  await Promise.all(lost.map((key) => redis.unlink(key)));
  await assertLayout({ redis, keys });

  await waitFor(async () => (await count(keys.filled)) === keys.partitions, { ...within, what: 'another filling' });
  t.equal(await count(keys.revocations), 1);
});
