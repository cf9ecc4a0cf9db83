import { fileURLToPath } from 'node:url';
import type { NearbyDriversReply } from '@hushryd/contracts/http/drivers';
import type { Problem } from '@hushryd/contracts/http/problem';
import type { SosReply } from '@hushryd/contracts/http/sos';
import { ownMongo, ownRedis, type TestScope } from '@hushryd/platform/testing/engines';
import { startFaultProxy } from '@hushryd/platform/testing/fault-proxy';
import { startService } from '@hushryd/platform/testing/service-process';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { press } from './sos-desk.ts';
import {
  asDriver,
  asRider,
  contactBody,
  createCall,
  createCollections,
  drive,
  environmentOf,
  fixesFrom,
  newId,
  operator,
  type Reply,
  startNewTrip,
  startTestApi,
  tokenOf,
} from './test-api.ts';

// An api that starts while Redis, or both stores, are away: it takes calls for help and sends them, and what needs Redis works once it has
// come, without another start.

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const recovery = { withinMs: 40_000 };

const mongo = await ownMongo(t);
const client = new MongoClient(mongo.url);
t.teardown(() => client.close());
const db = client.db('cold');
await createCollections(db);
const alertOf = (alertId: string) => db.collection<{ _id: string }>('alerts').findOne({ _id: alertId });

const sandbox = await startSandbox({ receiptDelayMs: 20 });
t.teardown(() => sandbox.close());

const environmentFor = (redis: { url: string }) => ({
  ...environmentOf({ redis: { url: redis.url, prefix: 'cold:' }, mongo: { url: mongo.url, database: 'cold' } }),
  ...sandbox.environment,
  // No receipt has to arrive.
  WEBHOOK_BASE_URL: 'http://127.0.0.1:9/v1/webhooks',
  MSG91_TEMPLATES: 'sos_alert.en=dlt-sos-alert-en',
  SOS_REPLAY_MS: '200',
  SOS_SWEEP_MS: '200',
  LOG_LEVEL: 'info',
});

/** The process of production. */
async function startProcess(t: TestScope, env: Readonly<Record<string, string>>) {
  const process = await startService(t, { name: 'api', main, env, ready: 'listening', readyWithinMs: 60_000 });
  const { port, internalPort, metricsPort } = (await process.waitForLog('listening')) as unknown as Record<
    'port' | 'internalPort' | 'metricsPort',
    number
  >;
  const url = `http://127.0.0.1:${port}`;
  const api = {
    url,
    internalUrl: `http://127.0.0.1:${internalPort}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    call: createCall(url),
    close: async () => (await process.terminate()).code === 0,
  };
  return { process, ...api };
}

const isUnavailable = ({ status, body, headers }: Reply<Problem>) =>
  status === 503 && /_unavailable$/.test(body.code) && headers.get('retry-after') !== null;

t.test('with Redis away at the start an alert is taken and sent; with Redis there all else works', async (t) => {
  const redis = await ownRedis(t);
  const env = environmentFor(redis);
  const before = await startTestApi(t, { ...env, LOG_LEVEL: 'silent' });
  const userId = newId('rider');
  const phone = '+15555550177';
  await before.call('PUT /v1/users/me/contacts/asha', { as: asRider(userId), body: { ...contactBody, phone } });
  const trip = await startNewTrip(before);
  const leaver = newId('rider');
  const voidToken = tokenOf('rider', leaver);
  await before.call(`POST /v1/users/${leaver}/sign-out`, { as: operator, body: {} });
  await before.close();
  await redis.faults.kill9();

  const api = await startProcess(t, env);
  const raised = await api.call<SosReply>('POST /v1/sos', { as: asRider(userId), body: press() });
  t.match(raised, { status: 201, body: { durability: 'majority' } });
  await waitFor(() => sandbox.messages.list({ recipient: phone, channel: 'sms' }).length > 0, {
    ...recovery,
    what: 'the text',
  });
  const driver = asDriver(trip.driverId);
  const nearby = 'GET /v1/drivers/nearby?lat=41.15&lng=-8.61';
  for (const [route, call] of [
    ['POST /v1/realtime/tickets', { as: driver }],
    ['POST /v1/drivers/me/runs', { as: driver, body: {} }],
    [`GET /v1/trips/${trip.tripId}/location`, { as: operator }],
    [`GET /v1/trips/${trip.tripId}/events`, { as: operator }],
    [nearby, { as: operator }],
  ] as const) {
    const reply = await api.call<Problem>(route, call);
    t.ok(isUnavailable(reply), `${route}: ${reply.status} ${JSON.stringify(reply.body)}`);
  }
  t.equal((await api.call(`GET /v1/trips/${trip.tripId}`, { as: operator })).status, 200);
  t.match(
    await api.call(`GET /v1/trips/${trip.tripId}`, { headers: { authorization: `Bearer ${voidToken}` } }),
    { status: 401, body: { code: 'token_revoked' } },
    'whose tokens are void is asked of the database',
  );
  t.match(await api.call('GET /health/ready'), {
    status: 200,
    body: { status: 'ready', dependencies: { redis: { status: 'down' }, mongodb: { status: 'up' } } },
  });
  let warnings = 0;
  await api.process.waitForLog(
    ({ msg, role }) => msg === 'redis connection failed' && role === 'live' && ++warnings === 2,
    { ...recovery, what: 'a second warning' },
  );

  await redis.faults.restart();
  await waitFor(async () => (await api.call('POST /v1/realtime/tickets', { as: driver })).status === 201, {
    ...recovery,
    what: 'a ticket',
  });
  await waitFor(
    async () => {
      const run = await drive(api, trip.driverId, fixesFrom(1, 1), { tripId: trip.tripId }).catch(() => undefined);
      if (run === undefined) return false;
      const { status, body } = await api.call<NearbyDriversReply>(nearby, { as: operator });
      return status === 200 && body.drivers.length > 0;
    },
    { ...recovery, what: 'the driver on the map' },
  );
  await waitFor(async () => (await api.call(`GET /v1/trips/${trip.tripId}/events`, { as: operator })).status === 200, {
    ...recovery,
    what: 'the events of the trip',
  });
  t.same(await api.process.terminate(), { code: 0, signal: null });
});

t.test('with both away at the start an alert is held and sent, also what a process before has left', async (t) => {
  const redis = await ownRedis(t);
  const env = environmentFor(redis);
  await redis.faults.kill9();
  await mongo.faults.kill9();

  const first = await startProcess(t, env);
  t.equal((await first.call('GET /health/ready')).status, 200);
  const held = await first.call<SosReply>('POST /v1/sos', { as: asRider(newId('rider')), body: press() });
  t.match(held, { status: 202, body: { durability: 'local' } });
  await waitFor(() => sandbox.messages.list({ channel: 'incident' }).length > 0, { ...recovery, what: 'the incident' });
  await first.process.kill9();

  await mongo.faults.restart();
  const second = await startProcess(t, env);
  await waitFor(async () => (await alertOf(held.body.alertId)) !== null, { ...recovery, what: 'the alert in MongoDB' });
  t.equal((await second.call('POST /v1/realtime/tickets', { as: operator })).status, 503);

  await redis.faults.restart();
  await waitFor(async () => (await second.call('POST /v1/realtime/tickets', { as: operator })).status === 201, {
    ...recovery,
    what: 'a ticket',
  });
});

t.test('a Redis that comes later and may not be used ends the process, as at the start', async (t) => {
  const redis = await ownRedis(t);
  const way = await startFaultProxy(t, { port: Number(new URL(redis.url).port) });
  const admin = new Redis(redis.url);
  t.teardown(() => admin.disconnect());
  const env = environmentFor({ url: `redis://127.0.0.1:${way.port}` });
  /** Those of partitions; the queues' own know no layout. */
  const liveKeys = async () => (await admin.keys('cold:{[pt][0-9]*')).toSorted();
  const isSilent = { toServer: { isSilent: true }, toClient: { isSilent: true } };

  for (const [how, spoil, sentence] of [
    ['evicts', () => admin.config('SET', 'maxmemory-policy', 'allkeys-lru'), /maxmemory-policy allkeys-lru/],
    [
      'is laid out otherwise',
      async () => {
        await admin.config('SET', 'maxmemory-policy', 'noeviction');
        await admin.set('cold:{t00}:layout', '3:other:1');
      },
      /laid out as 3:other:1.*set REDIS_PARTITIONS/,
    ],
  ] as const) {
    way.setFaults(isSilent);
    const { call, process } = await startProcess(t, env);
    t.equal((await call('POST /v1/realtime/tickets', { as: operator })).status, 503);
    await spoil();
    const keysBefore = await liveKeys();
    way.resetAll();
    way.heal();

    const exit = await within(process.exited, { ...recovery, what: `the end before a Redis that ${how}` });
    t.equal(exit.code, 1, how);
    const fatal = process.logs.find(({ msg }) => msg === 'the process cannot go on') as unknown as {
      err: { message: string };
    };
    t.match(fatal.err.message, sentence);
    t.same(await liveKeys(), keysBefore, 'nothing was written there');
  }
});
