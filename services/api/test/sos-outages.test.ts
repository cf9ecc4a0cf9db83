import { fileURLToPath } from 'node:url';
import { ownMongo, ownRedis } from '@hushryd/platform/testing/engines';
import { type FaultProxy, startFaultProxy } from '@hushryd/platform/testing/fault-proxy';
import { startService } from '@hushryd/platform/testing/service-process';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { playEmergencies } from './played-emergencies.ts';
import { type Outage, pressThrough } from './press-through.ts';
import { createCollections, environmentOf } from './test-api.ts';

// People press before, while and after a store is away: whoever was answered has one alert, everybody around them hears of it in time, and
// nobody before it was held. In the full set every way of being away; HUSHRYD_FULL=1 also makes more people press.

const isFull = process.env.HUSHRYD_FULL === '1';

const mongo = await ownMongo(t);
const redis = await ownRedis(t);
const ways = {
  mongo: await startFaultProxy(t, { port: Number(new URL(mongo.url).port) }),
  redis: await startFaultProxy(t, { port: Number(new URL(redis.url).port) }),
};
const client = new MongoClient(mongo.url);
t.teardown(() => client.close());
const db = client.db('outages');
await createCollections(db);
const emergencies = await playEmergencies(t, {
  db,
  environment: environmentOf({
    redis: { url: `redis://127.0.0.1:${ways.redis.port}`, prefix: 'own:' },
    mongo: { url: `mongodb://127.0.0.1:${ways.mongo.port}/?directConnection=true`, database: db.databaseName },
  }),
});
await startService(t, {
  name: 'worker',
  main: fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url)),
  env: emergencies.workerEnvironment,
  ready: 'ready',
  readyWithinMs: 60_000,
});

/** `isQuick`: in `npm test` too. */
const outages: Readonly<Record<string, Outage & { isQuick?: boolean }>> = {
  'Redis killed': { begin: redis.faults.kill9, end: redis.faults.restart },
  'Redis hung': { begin: redis.faults.pause, end: redis.faults.resume },
  'Redis emptied': { begin: emptyRedis, end: emptyRedis, isQuick: true },
  'Redis cut off': cutOff(ways.redis),
  'MongoDB killed': { begin: mongo.faults.kill9, end: mongo.faults.restart, isOfMongo: true },
  'MongoDB hung': { begin: mongo.faults.pause, end: mongo.faults.resume, isOfMongo: true },
  'MongoDB cut off': { ...cutOff(ways.mongo), isOfMongo: true, isQuick: true },
  'both killed': {
    begin: () => Promise.all([redis.faults.kill9(), mongo.faults.kill9()]),
    end: () => Promise.all([redis.faults.restart(), mongo.faults.restart()]),
    isOfMongo: true,
  },
};

/** For longer than connections bear: what was sent meanwhile never arrives. */
function cutOff(way: FaultProxy): Pick<Outage, 'begin' | 'end'> {
  return {
    begin: () => way.setFaults({ toServer: { isSilent: true }, toClient: { isSilent: true } }),
    end: () => {
      way.resetAll();
      way.heal();
    },
  };
}

async function emptyRedis(): Promise<void> {
  const admin = new Redis(redis.url);
  await admin.flushall();
  admin.disconnect();
}

for (const [name, outage] of Object.entries(outages)) {
  const skip = !isFull && !outage.isQuick && 'in the full set: npm run test:faults';
  t.test(name, { skip }, (t) => pressThrough(t, { emergencies, db, outage }));
}
