import { fileURLToPath } from 'node:url';
import type { HealthReply } from '@hushryd/contracts/http/health';
import type { Problem } from '@hushryd/contracts/http/problem';
import type { LocationReply } from '@hushryd/contracts/http/trips';
import type { Trip } from '@hushryd/contracts/trip';
import { ownMongo, ownRedis, testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { startService } from '@hushryd/platform/testing/service-process';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { MongoClient } from 'mongodb';
import t, { type Test } from 'tap';
import {
  asDriver,
  asRider,
  createCall,
  createCollections,
  drive,
  environmentOf,
  fixesFrom,
  newId,
  operator,
  type Reply,
  serviceToken,
  startNewTrip,
  startTestApi,
  type TestApi,
  tripBody,
} from './test-api.ts';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const recovery = { withinMs: 20_000 };
/** Far above the deadlines themselves (120, 600 and 1,100 ms): two cores are shared with other tests. */
const generousMs = 4_000;

/** What MongoDB has of it, and a word that there may be more. */
const isTruncatedTrack = ({ status, body }: Reply<unknown>) =>
  status === 200 && (body as { tail?: string }).tail === 'truncated';

t.test('with Redis hung or gone no request waits past its deadline', async (t) => {
  const redis = await ownRedis(t);
  const mongo = await testMongo(t);
  await createCollections(mongo.db);
  const api = await startTestApi(t, environmentOf({ redis: { url: redis.url, prefix: 'own:' }, mongo }));
  const trip = await startNewTrip(api);
  const driver = asDriver(trip.driverId);
  const run = await drive(api, trip.driverId, fixesFrom(1, 1), { tripId: trip.tripId });

  // What reads live data says that there is none; what MongoDB has is served and changed as ever.
  const expectations: [string, Parameters<TestApi['call']>[1], (reply: Reply<Problem>) => boolean][] = [
    [`GET /v1/trips/${trip.tripId}/location`, { as: operator }, isUnavailable],
    [
      `GET /v1/trips/${trip.tripId}/location?waitSeconds=30`,
      { as: operator, headers: { 'if-none-match': 'W/"x"' } },
      isUnavailable,
    ],
    [`GET /v1/trips/${trip.tripId}/track`, { as: operator }, isTruncatedTrack],
    [`GET /v1/drivers/${trip.driverId}/location`, { as: driver }, isUnavailable],
    ['POST /v1/drivers/me/runs', { as: driver, body: {} }, isUnavailable],
    [
      'POST /v1/drivers/me/fixes',
      { as: driver, body: { run, from: 1, tripId: trip.tripId, fixes: fixesFrom(2, 1) } },
      isUnavailable,
    ],
    ['POST /v1/drivers/me/fixes', { as: driver, body: { run, from: 1, fixes: [] } }, isUnavailable],
    ['POST /v1/realtime/tickets', { as: driver }, isUnavailable],
    [`GET /v1/trips/${trip.tripId}`, { as: operator }, ({ status }) => status === 200],
    [`GET /v1/trips?q=${trip.tripId}`, { as: operator }, ({ status }) => status === 200],
    ['GET /v1/map/roads?bbox=1,1,2,2', { as: operator }, ({ status }) => status === 200],
    ['POST /v1/trips', { as: operator, body: tripBody() }, ({ status }) => status === 201],
    [
      `PUT /v1/trips/${trip.tripId}/passengers`,
      { as: operator, body: { passengerIds: ['paula'] } },
      ({ status }) => status === 200,
    ],
    ['PUT /v1/drivers/me/availability', { as: driver, body: { available: true } }, ({ status }) => status === 200],
    ['GET /v1/trips/nearby?lat=1&lng=1', { as: operator }, ({ status }) => status === 200],
    ['GET /health/ready', {}, ({ status }) => status === 200],
  ];

  async function checkAll(t: Test, how: string): Promise<void> {
    for (const [route, call, isExpected] of expectations) {
      const startedAt = performance.now();
      const reply = await api.call<Problem>(route, call);
      const tookMs = performance.now() - startedAt;
      t.ok(isExpected(reply), `${how}: ${route} ${reply.status} ${JSON.stringify(reply.body).slice(0, 200)}`);
      t.ok(tookMs < generousMs, `${how}: ${route} took ${Math.round(tookMs)} ms`);
      t.comment(`${how}: ${route} ${reply.status} after ${Math.round(tookMs)} ms`);
    }
    const health = await api.call<HealthReply>('GET /health');
    t.match(health.body, {
      status: 'degraded',
      dependencies: { redis: { status: 'down' }, mongodb: { status: 'up' } },
    });
  }

  redis.faults.pause();
  await checkAll(t, 'hung');
  redis.faults.resume();
  await waitFor(() => isWellAgain(api, trip), { ...recovery, what: 'live data after the pause' });

  await redis.faults.kill9();
  await checkAll(t, 'gone');
  await redis.faults.restart();
  await waitFor(() => isWellAgain(api, trip), { ...recovery, what: 'live data after the restart' });
  await drive(api, trip.driverId, fixesFrom(3, 1, { recordedAtMs: Date.now() }), { tripId: trip.tripId, run });

  // Redis still has the list of passengers from before; whoever asks the internal listener has the new one put back.
  await fetch(`${api.internalUrl}/internal/trip-access`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${serviceToken}` },
    body: JSON.stringify({ tripIds: [trip.tripId] }),
  });
  const seen = await waitFor(
    async () => {
      const reply = await api.call<LocationReply>(`GET /v1/trips/${trip.tripId}/location`, { as: asRider('paula') });
      return reply.status === 200 ? reply.body : undefined;
    },
    { ...recovery, what: 'the trip to be seen by its new passenger' },
  );
  t.equal(seen.location?.seq, 3);
});

function isUnavailable({ status, body, headers }: Reply<Problem>): boolean {
  return status === 503 && /_unavailable$/.test(body.code) && headers.get('retry-after') !== null;
}

async function isWellAgain(api: TestApi, trip: Trip): Promise<boolean> {
  const location = await api.call(`GET /v1/trips/${trip.tripId}/location`, { as: operator });
  const ticket = await api.call('POST /v1/realtime/tickets', { as: operator });
  return location.status === 200 && ticket.status === 201;
}

t.test('with MongoDB hung, live data is served and the rest says so within its deadline', async (t) => {
  const redis = await testRedis(t);
  const mongo = await ownMongo(t);
  const client = new MongoClient(mongo.url);
  t.teardown(() => client.close());
  await createCollections(client.db('own'));
  const api = await startTestApi(t, {
    ...environmentOf({ redis, mongo: { url: mongo.url, database: 'own' } }),
    MONGODB_DEADLINE_MS: '1000',
  });
  const trip = await startNewTrip(api);
  const run = await drive(api, trip.driverId, fixesFrom(1, 1), { tripId: trip.tripId });
  const tripId = newId('trip');
  const planned = tripBody({ tripId });

  mongo.faults.pause();
  await drive(api, trip.driverId, fixesFrom(2, 1), { tripId: trip.tripId, run });
  const location = await api.call<LocationReply>(`GET /v1/trips/${trip.tripId}/location`, { as: operator });
  t.equal(location.body.location?.seq, 2);
  for (const [route, body] of [
    [`GET /v1/trips/${trip.tripId}`],
    ['POST /v1/trips', planned],
    [`POST /v1/trips/${trip.tripId}/end`, {}],
    ['PUT /v1/drivers/me/availability', { available: true }],
  ] as const) {
    const as = route.startsWith('PUT') ? asDriver(trip.driverId) : operator;
    const startedAt = performance.now();
    const reply = await api.call<Problem>(route, { as, ...(body !== undefined && { body }) });
    const tookMs = performance.now() - startedAt;
    t.match([reply.status, reply.body.code], [503, 'database_unavailable'], route);
    t.ok(tookMs < generousMs + 2_000, `${route} took ${Math.round(tookMs)} ms`);
  }
  const health = await api.call<HealthReply>('GET /health');
  t.match(health.body, { status: 'degraded', dependencies: { redis: { status: 'up' }, mongodb: { status: 'down' } } });
  mongo.faults.resume();

  // The outcome of the first try is unknown; the same request settles it.
  const settled = await waitFor(
    async () => {
      const reply = await api.call<Trip>('POST /v1/trips', { as: operator, body: planned });
      return reply.status === 201 ? reply.body : undefined;
    },
    { ...recovery, what: 'the trip' },
  );
  t.equal(settled.tripId, tripId);
  t.equal(await client.db('own').collection('trips').countDocuments({ driverId: planned.driverId }), 1);
});

t.test('the process: bad settings, a taken port, and an orderly end', async (t) => {
  const redis = await testRedis(t);
  const mongo = await testMongo(t);
  await createCollections(mongo.db);
  const env = { ...environmentOf({ redis, mongo }), LOG_LEVEL: 'info' };

  const misconfigured = await startService(t, {
    name: 'api',
    main,
    env: { ...env, PORT: 'many', SERVICE_TOKEN: 'short' },
  });
  t.equal((await misconfigured.exited).code, 1);
  const sentences = misconfigured.logs.map(({ msg }) => msg).join('\n');
  t.match(sentences, /PORT is "many"/);
  t.match(sentences, /SERVICE_TOKEN is a value \(not shown\)/);

  const api = await startService(t, { name: 'api', main, env, ready: 'listening' });
  const { port } = await api.waitForLog('listening');
  const taken = await startService(t, { name: 'api', main, env: { ...env, PORT: String(port) } });
  t.equal((await taken.exited).code, 1);
  t.match(taken.logs.map(({ msg }) => msg).join('\n'), `Cannot listen on 127.0.0.1:${port} (EADDRINUSE): set PORT`);

  const call = createCall(`http://127.0.0.1:${port}`);
  t.equal((await call('GET /health/ready')).status, 200);
  const { body: trip } = await call<Trip>('POST /v1/trips', { as: operator, body: tripBody() });
  const waiting = call(`GET /v1/trips/${trip.tripId}/location?waitSeconds=30`, {
    as: operator,
    headers: { 'if-none-match': 'W/"none"' },
  });
  const { metricsPort } = await api.waitForLog('listening');
  await waitFor(
    async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      return /^long_poll_waiters(\{.*\})? 1$/m.test(metrics);
    },
    { withinMs: 10_000, what: 'the long poll to wait' },
  );
  // Far less than the keep-alive of a connection, or the share of the shutdown that requests in flight may use.
  const exit = await api.terminate(10_000);
  t.same(exit, { code: 0, signal: null });
  t.equal((await waiting).status, 304, 'who waited was answered');
  t.match(
    api.logs.find(({ msg }) => msg === 'shutdown complete'),
    { reason: 'SIGTERM', failedCount: 0 },
  );
});
