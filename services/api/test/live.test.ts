import type { FixesReply, NearbyDriversReply, RunReply } from '@hushryd/contracts/http/drivers';
import type { Problem } from '@hushryd/contracts/http/problem';
import type { TicketReply } from '@hushryd/contracts/http/realtime';
import type { LocationReply, NearbyTripsReply, TrackReply } from '@hushryd/contracts/http/trips';
import { createTickets } from '@hushryd/platform/auth/tickets';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { publishPace } from '@hushryd/tracking/history/durable-feed';
import t from 'tap';
import {
  asDriver,
  asRider,
  createCollections,
  drive,
  environmentOf,
  fixesFrom,
  newId,
  operator,
  startNewTrip,
  startTestApi,
  tripBody,
  webOrigin,
} from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const environment = environmentOf({ redis, mongo });
const api = await startTestApi(t, environment);
const other = await startTestApi(t, { ...environment, LONG_POLL_MAX_WAITERS: '1' });

const soon = { withinMs: 10_000 };

t.test('fixes that were acknowledged are readable on another node, with the same coordinates', async (t) => {
  const trip = await startNewTrip(api);
  const rider = asRider(trip.passengerIds[0] as string);
  const run = await drive(api, trip.driverId, fixesFrom(1, 3), { tripId: trip.tripId });

  for (const node of [api, other]) {
    const { status, headers, body } = await node.call<LocationReply>(`GET /v1/trips/${trip.tripId}/location`, {
      as: rider,
    });
    t.equal(status, 200);
    t.match(body.location, { tripId: trip.tripId, state: 'on_trip', run, seq: 3, lat: 41.15003, lng: -8.61 });
    t.equal(headers.get('etag'), `W/"${run}-3-on_trip"`);
    t.equal(headers.get('cache-control'), 'no-store');
  }
});

t.test('a known position is not sent again, a new one is', async (t) => {
  const trip = await startNewTrip(api);
  const route = `GET /v1/trips/${trip.tripId}/location`;
  const none = await api.call<LocationReply>(route, { as: operator });
  t.equal(none.body.location, null, 'nothing is known yet');
  const noneTag = none.headers.get('etag') as string;
  t.equal((await api.call(route, { as: operator, headers: { 'if-none-match': noneTag } })).status, 304);

  const run = await drive(api, trip.driverId, fixesFrom(1, 1), { tripId: trip.tripId });
  const first = await api.call(route, { as: operator, headers: { 'if-none-match': noneTag } });
  t.equal(first.status, 200);
  const tag = first.headers.get('etag') as string;
  for (const known of [tag, tag.slice(2), `"x", ${tag}`, '*']) {
    const reply = await api.call(route, { as: operator, headers: { 'if-none-match': known } });
    t.equal(reply.status, 304, known);
    t.equal(reply.body, '');
  }
  await drive(api, trip.driverId, fixesFrom(2, 1), { tripId: trip.tripId, run });
  t.equal((await api.call(route, { as: operator, headers: { 'if-none-match': tag } })).status, 200);
});

t.test('a long poll ends with the next position, also one that another node took', async (t) => {
  const trip = await startNewTrip(api);
  const run = await drive(api, trip.driverId, fixesFrom(1, 1), { tripId: trip.tripId });
  const route = `GET /v1/trips/${trip.tripId}/location`;
  const tag = (await api.call(route, { as: operator })).headers.get('etag') as string;
  const headers = { 'if-none-match': tag };

  const waiting = api.call<LocationReply>(`${route}?waitSeconds=30`, { as: operator, headers });
  await waitFor(() => isWaiting(api.metricsUrl), { ...soon, what: 'the long poll' });
  await drive(other, trip.driverId, fixesFrom(2, 1), { tripId: trip.tripId, run });
  t.match((await waiting).body.location, { seq: 2 });

  t.equal(
    (await api.call(`${route}?waitSeconds=1`, { as: operator, headers: { 'if-none-match': `W/"${run}-2-on_trip"` } }))
      .status,
    304,
    'without news it ends with the time',
  );
  await waitFor(async () => !(await isWaiting(api.metricsUrl)), { ...soon, what: 'the end of all waiting' });
});

t.test('the end of a trip ends a long poll, and nobody follows the driver any further', async (t) => {
  const trip = await startNewTrip(api);
  const rider = asRider(trip.passengerIds[0] as string);
  const run = await drive(api, trip.driverId, fixesFrom(1, 1), { tripId: trip.tripId });
  const route = `GET /v1/trips/${trip.tripId}/location`;
  const headers = { 'if-none-match': `W/"${run}-1-on_trip"` };

  const waiting = api.call<LocationReply>(`${route}?waitSeconds=30`, { as: rider, headers });
  await waitFor(() => isWaiting(api.metricsUrl), { ...soon, what: 'the long poll' });
  await api.call(`POST /v1/trips/${trip.tripId}/end`, { as: asDriver(trip.driverId) });
  t.equal((await waiting).body.location, null);

  await drive(api, trip.driverId, fixesFrom(2, 1, { recordedAtMs: Date.now() }), { run });
  t.equal((await api.call<LocationReply>(route, { as: operator })).body.location, null);
  const own = await api.call<LocationReply>(`GET /v1/drivers/${trip.driverId}/location`, {
    as: asDriver(trip.driverId),
  });
  t.match(own.body.location, { seq: 2, state: 'off', tripId: undefined });
});

t.test('a node with too many waiters answers at once; one that closes ends them', async (t) => {
  const [one, two] = await Promise.all([startNewTrip(other), startNewTrip(other)]);
  const headers = { 'if-none-match': 'W/"none"' };
  const poll = (tripId: string) =>
    other.call(`GET /v1/trips/${tripId}/location?waitSeconds=30`, { as: operator, headers });

  const first = poll(one.tripId);
  await waitFor(() => isWaiting(other.metricsUrl), { ...soon, what: 'the long poll' });
  t.equal((await poll(two.tripId)).status, 304);
  t.match(await metricsOf(other.metricsUrl), /long_poll_refused_total\{[^}]*\} 1/);

  const gone = new AbortController();
  const leaving = api
    .call(`GET /v1/trips/${one.tripId}/location?waitSeconds=30`, { as: operator, headers, signal: gone.signal })
    .catch(() => 'gone');
  await waitFor(() => isWaiting(api.metricsUrl), { ...soon, what: 'the long poll' });
  gone.abort();
  t.equal(await leaving, 'gone');
  await waitFor(async () => !(await isWaiting(api.metricsUrl)), { ...soon, what: 'the waiter to be forgotten' });

  const closing = other.close();
  t.equal((await first).status, 304);
  t.ok(await closing);
});

async function metricsOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

async function isWaiting(metricsUrl: string): Promise<boolean> {
  return /long_poll_waiters\{[^}]*\} [1-9]/.test(await metricsOf(metricsUrl));
}

t.test('a passenger who was taken off the trip no longer sees it', async (t) => {
  const trip = await startNewTrip(api);
  const rider = asRider(trip.passengerIds[0] as string);
  const route = `GET /v1/trips/${trip.tripId}/location`;
  t.equal((await api.call(route, { as: rider })).status, 200);

  await api.call(`PUT /v1/trips/${trip.tripId}/passengers`, { as: operator, body: { passengerIds: [] } });

  await waitFor(async () => (await api.call(route, { as: rider })).status === 404, { ...soon, what: 'the refusal' });
});

t.test('fixes over HTTP: duplicates, drops, foreign trips, superseded and unknown runs', async (t) => {
  const trip = await startNewTrip(api);
  const as = asDriver(trip.driverId);
  const post = (body: Record<string, unknown>) => api.call<FixesReply>('POST /v1/drivers/me/fixes', { as, body });
  const { body: hello } = await api.call<RunReply>('POST /v1/drivers/me/runs', { as, body: {} });
  t.match(hello, { durableSeq: 0, location: null });
  const { run } = hello;

  const fixes = [
    ...fixesFrom(1, 3),
    ...fixesFrom(4, 1, { lat: 91 }),
    ...fixesFrom(5, 1, { recordedAtMs: Date.now() + 3_600_000 }),
    ...fixesFrom(6, 1, { recordedAtMs: Date.now() - 90_000_000 }),
    ...fixesFrom(7, 1, { accuracyMeters: 5_000 }),
  ];
  const reply = await post({ run, from: 1, tripId: trip.tripId, fixes });
  t.match(reply.body, { run, receivedSeq: 7, durableSeq: 0 });
  t.same(
    reply.body.drops.map(({ seq, reason }) => [seq, reason]),
    [
      [4, 'out_of_range'],
      [5, 'future'],
      [6, 'too_old'],
      [7, 'inaccurate'],
    ],
  );

  await post({ run, from: 1, tripId: trip.tripId, fixes: fixes.slice(0, 3).toReversed() });
  const track = await api.call<TrackReply>(`GET /v1/trips/${trip.tripId}/track`, { as });
  t.same(
    track.body.fixes.map(({ seq }) => seq),
    [1, 2, 3],
    'sent twice, in the wrong order: there once, in order',
  );
  t.match((await post({ run, from: 1, fixes: [] })).body, { receivedSeq: 0, durableSeq: 0, drops: [] });

  const foreign = await startNewTrip(api);
  await post({ run, from: 1, tripId: foreign.tripId, fixes: fixesFrom(8, 1) });
  const own = await api.call<LocationReply>(`GET /v1/drivers/${trip.driverId}/location`, { as });
  t.match(own.body.location, { seq: 8, tripId: undefined }, "another driver's trip counts for nothing");

  const newer = (await api.call<RunReply>('POST /v1/drivers/me/runs', { as, body: {} })).body.run;
  t.ok(newer > run);
  await post({ run: newer, from: 1, fixes: fixesFrom(1, 1) });
  t.match((await post({ run, from: 1, fixes: fixesFrom(9, 1) })).body, { supersededBy: newer });
  const future = await api.call<Problem>('POST /v1/drivers/me/fixes', {
    as,
    body: { run: Date.now() + 3_600_000, from: 1, fixes: fixesFrom(1, 1) },
  });
  t.match([future.status, future.body.code], [409, 'run_unknown']);
});

t.test('a phone that was overtaken by one that died moves the position again, in the run it is offered', async (t) => {
  // So that a fix of a minute ago is the newest position.
  const patient = await startTestApi(t, { ...environment, LIVE_MAX_AGE_MS: '120000' });
  const driverId = newId('driver');
  const as = asDriver(driverId);
  const newRun = async () => (await patient.call<RunReply>('POST /v1/drivers/me/runs', { as, body: {} })).body.run;
  const post = async (run: number, seq: number, ageMs: number) => {
    const fixes = fixesFrom(seq, 1, { recordedAtMs: Date.now() - ageMs });
    return (await patient.call<FixesReply>('POST /v1/drivers/me/fixes', { as, body: { run, from: 1, fixes } })).body;
  };
  const [older, newer] = [await newRun(), await newRun()];
  await post(newer, 1, 61_000);

  const { supersededBy, offeredRun } = await post(older, 1, 0);
  t.equal(supersededBy, newer);
  t.ok(offeredRun !== undefined && offeredRun > newer);
  t.equal((await post(older, 2, 0)).offeredRun, offeredRun, 'said again');
  t.notOk('supersededBy' in (await post(offeredRun as number, 1, 0)));
  const { body } = await patient.call<LocationReply>(`GET /v1/drivers/${driverId}/location`, { as });
  t.match(body.location, { run: offeredRun, seq: 1 });

  const third = await newRun();
  await post(third, 1, 0);
  t.match(await post(offeredRun as number, 2, 0), { supersededBy: third, offeredRun: undefined }, 'it speaks');
});

t.test('while history is behind, phones over HTTP are asked for less and thinned', async (t) => {
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const connections = await connectRedis({ settings: redis.settings(), role: 'live', log });
  t.teardown(() => connections.close());
  const keys = createKeys(redis.settings());
  const driverId = newId('driver');
  const as = asDriver(driverId);
  const setPace = (cadenceMs: number) => {
    const parts = { redis: connections.commands, keys };
    return publishPace(parts, keys.driverPartition(driverId), { cadenceMs, thinMs: cadenceMs });
  };
  const { run } = (await api.call<RunReply>('POST /v1/drivers/me/runs', { as, body: {} })).body;
  let seq = 0;
  const post = async () => {
    const fixes = fixesFrom(seq + 1, 2);
    seq += 2;
    return (await api.call<FixesReply>('POST /v1/drivers/me/fixes', { as, body: { run, from: 1, fixes } })).body;
  };
  t.notOk('cadenceMs' in (await post()));

  await setPace(5_000);
  const slower = await waitFor(
    async () => {
      const reply = await post();
      return reply.cadenceMs === 5_000 ? reply : undefined;
    },
    { ...soon, what: 'the cadence' },
  );
  t.match(slower.drops, [{ reason: 'thinned' }]);
  await setPace(0);
  await waitFor(async () => !('cadenceMs' in (await post())), { ...soon, what: 'the end of it' });
});

t.test('riders see the available drivers near them and cannot tell who they are', async (t) => {
  // A corner of the sea that no other test uses.
  const here = { lat: -40.123456, lng: 20.123456 };
  const nearby = `GET /v1/drivers/nearby?lat=${here.lat}&lng=${here.lng}`;
  const rider = asRider(newId('rider'));
  const place = async (driverId: string, north: number, available: boolean) => {
    if (available) {
      await api.call('PUT /v1/drivers/me/availability', { as: asDriver(driverId), body: { available } });
    }
    await drive(api, driverId, fixesFrom(1, 1, { lat: here.lat + north, lng: here.lng, headingDegrees: 90 }));
  };
  const available = Array.from({ length: 12 }, () => newId('driver'));
  const off = newId('driver');
  const far = newId('driver');
  await Promise.all(available.map((driverId, index) => place(driverId, index * 1e-3, true)));
  // Nearer than most, and at a latitude of its own.
  await place(off, -5e-4, false);
  await place(far, 0.09, true);

  const seen = await waitFor(
    async () => {
      const { body } = await api.call<NearbyDriversReply>(`${nearby}&radiusMeters=50000&limit=100`, { as: rider });
      return body.drivers.length === 10 ? body : undefined;
    },
    { ...soon, what: 'ten drivers' },
  );
  const distances = seen.drivers.map(({ distanceMeters }) => distanceMeters);
  t.same(
    distances,
    distances.toSorted((a, b) => a - b),
    'nearest first',
  );
  t.ok(distances.every((meters) => meters <= 5_000));
  for (const driver of seen.drivers) {
    t.notOk([...available, off, far].includes(driver.driverId));
    t.equal(driver.lat, Math.round(driver.lat * 1e4) / 1e4);
    t.equal(driver.lng, Math.round(driver.lng * 1e4) / 1e4);
    t.not(driver.lat, Math.round((here.lat - 5e-4) * 1e4) / 1e4, 'who takes no rides is not shown');
  }
  const fromAfar = `GET /v1/drivers/nearby?lat=${here.lat + 0.17}&lng=${here.lng}&radiusMeters=50000`;
  t.same((await api.call<NearbyDriversReply>(fromAfar, { as: rider })).body.drivers, [], 'nobody beyond 5 km');

  const staff = await waitFor(
    async () => {
      const { body } = await api.call<NearbyDriversReply>(`${nearby}&radiusMeters=50000&limit=100`, { as: operator });
      return body.drivers.length === 14 ? body : undefined;
    },
    { ...soon, what: 'all fourteen drivers' },
  );
  t.same(staff.drivers.map(({ driverId }) => driverId).toSorted(), [...available, off, far].toSorted());

  const third = await startTestApi(t, environment);
  const elsewhere = await third.call<NearbyDriversReply>(nearby, { as: rider });
  t.same(
    elsewhere.body.drivers.map(({ driverId }) => driverId),
    seen.drivers.map(({ driverId }) => driverId),
    'the same ids on another node',
  );
});

t.test('staff see active trips near a point', async (t) => {
  const here = { lat: -41.5, lng: 21.5 };
  const trip = await startNewTrip(api);
  const idle = newId('driver');
  await drive(api, trip.driverId, fixesFrom(1, 1, here), { tripId: trip.tripId });
  await drive(api, idle, fixesFrom(1, 1, here));

  const found = await waitFor(
    async () => {
      const { body } = await api.call<NearbyTripsReply>(`GET /v1/trips/nearby?lat=${here.lat}&lng=${here.lng}`, {
        as: operator,
      });
      return body.trips.length > 0 ? body.trips : undefined;
    },
    { ...soon, what: 'the trip' },
  );
  t.equal(found.length, 1);
  t.match(found[0], { tripId: trip.tripId, distanceMeters: 0, location: { driverId: trip.driverId } });
});

t.test('a planned trip is nowhere, even while its driver drives', async (t) => {
  const { body: trip } = await api.call<{ tripId: string; driverId: string }>('POST /v1/trips', {
    as: operator,
    body: tripBody(),
  });
  await drive(api, trip.driverId, fixesFrom(1, 1), { tripId: trip.tripId });
  const { body } = await api.call<LocationReply>(`GET /v1/trips/${trip.tripId}/location`, { as: operator });
  t.equal(body.location, null);
});

t.test('a ticket stands for whoever asked for it, from where they asked', async (t) => {
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const connections = await connectRedis({ settings: redis.settings(), role: 'live', log });
  t.teardown(() => connections.close());
  const tickets = createTickets({ redis: connections.commands, keys: createKeys(redis.settings()) });
  const rider = asRider(newId('rider'));

  const { status, body } = await api.call<TicketReply>('POST /v1/realtime/tickets', {
    as: rider,
    headers: { origin: webOrigin },
  });
  t.equal(status, 201);
  t.match(await tickets.redeem({ ticket: body.ticket, origin: webOrigin }), rider);
});
