import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { testRedis } from '@hushryd/platform/testing/engines';
import { startService } from '@hushryd/platform/testing/service-process';
import { MongoClient, MongoNetworkError } from 'mongodb';
import t from 'tap';
import { playEmergencies } from './played-emergencies.ts';
import { pressThrough } from './press-through.ts';
import { createCollections, environmentOf } from './test-api.ts';

// The embedded engine has one member: an election needs a set of several.

const url = process.env.MONGODB_REPLICA_SET_URL;
const skip = url === undefined && 'needs a replica set of several members: name it in MONGODB_REPLICA_SET_URL';
/** So long it does not stand for election again. */
const asideSeconds = 30;

t.test('people press while the primary of MongoDB steps down', { skip }, async (t) => {
  if (url === undefined) return;
  const client = new MongoClient(url);
  t.teardown(() => client.close());
  const db = client.db(`hushryd-test-${randomUUID()}`);
  t.teardown(() => db.dropDatabase());
  await createCollections(db);
  const emergencies = await playEmergencies(t, {
    db,
    environment: environmentOf({ redis: await testRedis(t), mongo: { url, database: db.databaseName } }),
  });
  await startService(t, {
    name: 'worker',
    main: fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url)),
    env: emergencies.workerEnvironment,
    ready: 'ready',
    readyWithinMs: 60_000,
  });

  const stepDown = () =>
    client
      .db('admin')
      .command({ replSetStepDown: asideSeconds, secondaryCatchUpPeriodSecs: 10 })
      .catch((error: unknown) => {
        // Older servers hang up on whoever asks.
        if (!(error instanceof MongoNetworkError)) throw error;
      });
  await pressThrough(t, { emergencies, db, outage: { begin: stepDown, end: () => undefined, isOfMongo: true } });
});
