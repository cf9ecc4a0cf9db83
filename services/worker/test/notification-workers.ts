import { fileURLToPath } from 'node:url';
import { type NotificationDocument, notificationLanes } from '@hushryd/outreach/notifications/notification-document';
import { createNotificationStore } from '@hushryd/outreach/notifications/notification-store';
import { createNotify } from '@hushryd/outreach/notifications/notify';
import { createPreferencesStore } from '@hushryd/outreach/notifications/preferences-store';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { connectQueues } from '@hushryd/platform/queues/connect-queues';
import { openQueues, type Queues } from '@hushryd/platform/queues/open-queues';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { type TestScope, testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import { startService } from '@hushryd/platform/testing/service-process';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import { declareCollections } from '../src/collections.ts';
import { readConfig } from '../src/config.ts';

/** Whatever records notifications, with the played companies, and workers that send as processes of their own. */
export async function openNotificationWorkers(t: TestScope) {
  const redis = await testRedis(t);
  const mongo = await testMongo(t);
  const sandbox = await startSandbox({ maxMessages: 100_000 });
  t.teardown(() => sandbox.close());
  const variables = {
    ...redis.variables,
    MONGODB_URL: mongo.url,
    MONGODB_DATABASE: mongo.database,
    MONGODB_MIN_POOL_SIZE: '0',
    METRICS_PORT: '0',
    ...sandbox.environment,
    // Nobody listens there: no receipts come.
    WEBHOOK_BASE_URL: 'http://127.0.0.1:9/v1/webhooks',
    ...createTestFieldKeys(),
    PROVIDER_BACKOFF_MS: '50',
    PROVIDER_BREAKER_FAILURES: '1000',
    MSG91_TEMPLATES: 'ride_ended.en=ride-ended-en',
  };
  const config = readConfig(variables);
  await ensureCollections(mongo.db, declareCollections(config));

  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const connections = await connectQueues({ settings: config.redis, log });
  const keys = createKeys(config.redis);
  const queues = openQueues({ connections, keys, names: notificationLanes, log });
  t.teardown(async () => {
    await queues.close();
    await connections.close();
  });
  const store = createNotificationStore({ db: mongo.db });
  const preferences = createPreferencesStore({ db: mongo.db });
  const cipher = createFieldCipher(config.fieldKeys);
  const added = new Set<string>();
  const countedQueues: Pick<Queues, 'add'> = {
    async add(name, job) {
      await queues.add(name, job);
      added.add(job.recordId);
    },
  };
  const parts = { store, queues: countedQueues, preferences, cipher, settings: config.notifications, telemetry, log };
  return {
    sandbox,
    queues,
    connections,
    keys,
    log,
    /** Records whose job the queue has taken. */
    added: added as ReadonlySet<string>,
    store,
    notifications: mongo.db.collection<NotificationDocument>('notifications'),
    /** @param now when it is recorded */
    notifyAt: (now: () => number) => createNotify({ ...parts, now }),
    startWorker: (nodeArgs: readonly string[] = []) =>
      startService(t, {
        name: 'worker',
        // As it is built: starting from its sources takes a worker seconds, and many of them start here.
        main: fileURLToPath(new URL('../dist/main.js', import.meta.url)),
        nodeArgs,
        env: variables,
        ready: 'ready',
        readyWithinMs: 120_000,
      }),
  };
}
