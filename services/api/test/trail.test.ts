import type { Problem } from '@hushryd/contracts/http/problem';
import type { Alert, SosAccessReply, SosReply } from '@hushryd/contracts/http/sos';
import type { AlertTrailReply, SosFixesReply } from '@hushryd/contracts/http/sos-trail';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { press } from './sos-desk.ts';
import {
  asDriver,
  asRider,
  type Call,
  contactBody,
  createCollections,
  drive,
  environmentOf,
  expiredTokenOf,
  fixesFrom,
  newId,
  operator,
  serviceToken,
  startNewTrip,
  startTestApi,
} from './test-api.ts';

// The trail of an alert over HTTP. Who hears of it live: services/realtime/test/trail.test.ts; all of it together, with the worker and over
// restarts: infra/dev/test/trail.test.ts; the link: share.test.ts.

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const api = await startTestApi(t, environmentOf({ redis, mongo }));
const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const live = await connectRedis({ settings: redis.settings(), role: 'live', log });
t.teardown(() => live.close());
const keys = createKeys(redis.settings());

async function raise(as: { role: 'rider' | 'driver'; userId: string }, changes: Record<string, unknown> = {}) {
  const { body } = await api.call<SosReply>('POST /v1/sos', { as, body: press(changes) });
  return body.alertId;
}

const send = (alertId: string, as: Call['as'], fixes = fixesFrom(1, 3)) =>
  api.call<SosFixesReply & Problem>(`POST /v1/sos/${alertId}/fixes`, { as, body: { run: 7, fixes } });

const trailOf = (alertId: string, as: Call['as'], query = '') =>
  api.call<AlertTrailReply & Problem>(`GET /v1/sos/${alertId}/trail${query}`, { as });

const close = (alertId: string) =>
  api.call(`POST /v1/sos/${alertId}/resolve`, { as: operator, body: { reason: 'helped' } });

const stored = (alertId: string) => mongo.db.collection('location_history').find({ 'meta.alertId': alertId }).toArray();

t.test('a person’s own fixes need no trip: what is stored is named, what is dropped has a reason', async (t) => {
  const rider = asRider(newId('rider'));
  const alertId = await raise(rider);
  const fixes = [
    ...fixesFrom(1, 2, { accuracyMeters: 3_000 }),
    ...fixesFrom(3, 1, { recordedAtMs: Date.now() - 25 * 3_600_000 }),
  ];

  const reply = await send(alertId, rider, fixes);

  t.equal(reply.status, 200);
  t.same(reply.body, { alertId, run: 7, durableSeqs: [1, 2], drops: [{ seq: 3, reason: 'too_old' }] });
  t.match(await stored(alertId), [
    { run: 7, seq: 1, meta: { alertId, personId: rider.userId } },
    { run: 7, seq: 2, lat: fixes[1]?.lat },
  ]);
  t.same((await send(alertId, rider, fixes)).body, reply.body, 'the same again is answered alike');
  const { body } = await trailOf(alertId, operator);
  t.same(
    body.points,
    fixes.slice(0, 2).map(({ lat, lng, recordedAtMs }) => ({
      source: 'person',
      lat,
      lng,
      recordedAt: new Date(recordedAtMs).toISOString(),
      accuracyMeters: 3_000,
    })),
    'and read once',
  );
  const expired = expiredTokenOf('rider', rider.userId, 3_600_000);
  const headers = { authorization: `Bearer ${expired}` };
  const late = await api.call(`POST /v1/sos/${alertId}/fixes`, { headers, body: { run: 7, fixes: fixesFrom(4, 1) } });
  t.equal(late.status, 200, 'with a token that ran out an hour ago, too');
});

t.test('only the person of an open alert: nobody else, and nobody once it has ended', async (t) => {
  const rider = asRider(newId('rider'));
  const alertId = await raise(rider);

  for (const as of [asRider(newId('rider')), asDriver(newId('driver')), operator]) {
    t.equal((await send(alertId, as)).status, 404);
  }
  t.equal((await send(press().alertId, rider)).status, 404);
  await close(alertId);
  t.match((await send(alertId, rider)).body, { status: 409, code: 'sos_state_conflict' });
  t.same(await stored(alertId), []);
});

t.test('a driver in danger: his own fixes never move his position', async (t) => {
  const driverId = newId('driver');
  const alertId = await raise(asDriver(driverId));
  await send(alertId, asDriver(driverId));

  const where = await api.call<Problem>(`GET /v1/drivers/${driverId}/location`, { as: operator });
  t.match(where.body, { location: null });
});

t.test('both phones are on the trail, in order of time, page by page and without a gap', async (t) => {
  const rider = asRider(newId('rider'));
  const trip = await startNewTrip(api, { passengerIds: [rider.userId] });
  const alertId = await raise(rider, { tripId: trip.tripId });
  const nowMs = Date.now();
  const at = (seq: number) => ({ recordedAtMs: nowMs - 10_000 + seq * 500 });
  // No worker runs here: what it would store is put there, one of them twice, and the newest is only in Redis.
  const driven = Array.from({ length: 10 }, (_, index) => ({ ...fixesFrom(index + 1, 1)[0], ...at(2 * index) }));
  const documents = [...driven, driven[3]].map((fix) => {
    const { recordedAtMs, ...reading } = fix as (typeof driven)[number] & { recordedAtMs: number };
    return {
      ts: new Date(recordedAtMs),
      meta: { driverId: trip.driverId, tripId: trip.tripId },
      run: 1,
      ...reading,
      receivedAt: new Date(),
      live: true,
    };
  });
  await mongo.db.collection('location_history').insertMany(documents);
  await drive(api, trip.driverId, fixesFrom(1, 1, { recordedAtMs: nowMs, lat: 41.5 }), { tripId: trip.tripId });
  const own = Array.from({ length: 10 }, (_, index) => ({ ...fixesFrom(index + 1, 1)[0], ...at(index) }));
  await send(alertId, rider, own as never);

  const whole = (await trailOf(alertId, rider)).body;
  t.match(whole, { alertId, state: 'open', nextCursor: null });
  const timesOf = ({ points }: AlertTrailReply) => points.map(({ recordedAt }) => Date.parse(recordedAt));
  t.same(
    timesOf(whole),
    [...timesOf(whole)].sort((a, b) => a - b),
  );
  t.equal(whole.points.filter(({ source }) => source === 'driver').length, 11, 'each once, and the newest');
  t.equal(whole.points.filter(({ source }) => source === 'person').length, 10);
  t.match(whole.points.at(-1), { source: 'driver', lat: 41.5 });

  for (const limit of [1, 3, 7]) {
    const paged: AlertTrailReply['points'] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? `?limit=${limit}` : `?limit=${limit}&cursor=${cursor}`;
      const { body } = await trailOf(alertId, operator, query);
      paged.push(...body.points);
      cursor = body.nextCursor;
    }
    t.same(paged, whole.points, `${limit} a page`);
  }
  t.match((await trailOf(alertId, operator, '?cursor=bm9uZQ')).body, { status: 400, code: 'cursor_invalid' });
});

t.test('naming somebody else’s trip shows nobody where its driver is', async (t) => {
  const trip = await startNewTrip(api);
  await drive(api, trip.driverId, fixesFrom(1, 2), { tripId: trip.tripId });
  const stranger = asRider(newId('rider'));
  const alertId = await raise(stranger, { tripId: trip.tripId });

  t.same((await trailOf(alertId, stranger)).body.points, []);
  t.same((await trailOf(alertId, operator)).body.points, [], 'nor an operator by this way');
  t.same(await viewsOf(alertId, [stranger, operator]), [{ as: 'person' }, { as: 'staff' }]);
});

/** What a realtime node is told. */
async function viewsOf(alertId: string, people: readonly { role: string; userId: string }[]) {
  const response = await fetch(`${api.internalUrl}/internal/sos-access`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${serviceToken}` },
    body: JSON.stringify({ questions: people.map((person) => ({ alertId, ...person })) }),
  });
  const { allowed, views } = (await response.json()) as SosAccessReply;
  t.same(
    allowed,
    views?.map((view) => view !== null),
    'both say the same',
  );
  return views;
}

t.test('contacts who have the app see the alert of their person: open, as long as they are contacts', async (t) => {
  const rider = asRider(newId('rider'));
  const [sister, brother, neighbour] = [asRider(newId('sister')), asDriver(newId('brother')), asRider(newId('other'))];
  const trip = await startNewTrip(api, { passengerIds: [rider.userId] });
  for (const [contactId, { userId }] of [
    ['sister', sister],
    ['brother', brother],
  ] as const) {
    const body = { ...contactBody, channels: ['app'], userId };
    await api.call(`PUT /v1/users/me/contacts/${contactId}`, { as: rider, body });
  }
  const alertId = await raise(rider, { tripId: trip.tripId, note: 'for the staff', batteryPercent: 9 });
  await send(alertId, rider);
  const everybody = [rider, sister, brother, neighbour, operator];
  const statuses = async () =>
    Promise.all(
      everybody.flatMap((as) => [
        api.call(`GET /v1/sos/${alertId}`, { as }).then(({ status }) => status),
        trailOf(alertId, as).then(({ status }) => status),
      ]),
    );
  const onTrip = { tripId: trip.tripId, driverId: trip.driverId };

  t.same(await statuses(), [200, 200, 200, 200, 200, 200, 404, 404, 200, 200]);
  t.same(await viewsOf(alertId, everybody), [
    { as: 'person', ...onTrip },
    { as: 'contact', ...onTrip },
    { as: 'contact', ...onTrip },
    null,
    { as: 'staff', ...onTrip },
  ]);
  const seen = (await api.call<Alert>(`GET /v1/sos/${alertId}`, { as: sister })).body;
  t.match(seen, { state: 'open', batteryPercent: 9, note: undefined, outbox: undefined, facts: undefined });
  for (const order of ['cancel', 'resolve', 'acknowledge']) {
    const body = { cancel: { pin: '1234' }, resolve: { reason: 'fine' }, acknowledge: undefined }[order];
    const { status } = await api.call(`POST /v1/sos/${alertId}/${order}`, { as: sister, ...(body && { body }) });
    t.ok(status === 403 || status === 404, `no ${order} by a contact`);
  }

  await api.call('DELETE /v1/users/me/contacts/brother', { as: rider });
  t.same(await statuses(), [200, 200, 200, 200, 404, 404, 404, 404, 200, 200], 'removed, and at once');
  await close(alertId);
  t.same(await statuses(), [200, 200, 404, 404, 404, 404, 404, 404, 200, 200], 'over');
  t.same(await viewsOf(alertId, everybody), [{ as: 'person' }, null, null, null, { as: 'staff' }]);
});

t.test('under duress the person’s devices see a trail that has ended, and everybody else the real one', async (t) => {
  const rider = asRider(newId('rider'));
  const sister = asRider(newId('sister'));
  const pins = { cancel: '1234', duress: '4321' };
  t.equal((await api.call('PUT /v1/users/me/safety', { as: rider, body: { pins } })).status, 200);
  const contact = { ...contactBody, channels: ['app'], userId: sister.userId };
  await api.call('PUT /v1/users/me/contacts/sister', { as: rider, body: contact });
  const alertId = await raise(rider);
  const before = fixesFrom(1, 1, { recordedAtMs: Date.now() - 1_000 });
  await send(alertId, rider, before);
  const cancelled = await api.call<Alert>(`POST /v1/sos/${alertId}/cancel`, { as: rider, body: { pin: '4321' } });
  t.match(cancelled.body, { state: 'cancelled' });

  const after = fixesFrom(2, 1, { recordedAtMs: Date.now() + 1_000 });
  t.same((await send(alertId, rider, after)).body.durableSeqs, [2], 'taken in silence');
  t.match((await trailOf(alertId, rider)).body, { state: 'cancelled', points: { length: 1 } });
  t.match((await trailOf(alertId, sister)).body, { state: 'open', points: { length: 2 } });
  t.match((await trailOf(alertId, operator)).body, { state: 'open', points: { length: 2 } });
  t.same(await viewsOf(alertId, [rider, sister]), [{ as: 'person', isTrailHidden: true }, { as: 'contact' }]);
  const stateFor = async (as: ReturnType<typeof asRider>) =>
    (await api.call<Alert>(`GET /v1/sos/${alertId}`, { as })).body.state;
  t.same([await stateFor(rider), await stateFor(sister)], ['cancelled', 'open']);
});

t.test('Redis knows which alerts are followed, and where they are; not those that have ended', async (t) => {
  const rider = asRider(newId('rider'));
  const alertId = await raise(rider, { tripId: 'trip-9' });
  const key = keys.sosTracking(alertId);
  await send(alertId, rider, fixesFrom(1, 1, { lat: 41.25 }));

  const tracked = await waitFor(
    async () => {
      const fields = await live.commands.hgetall(key);
      return fields.userId !== undefined && fields.lastLocation !== undefined ? fields : undefined;
    },
    { withinMs: 10_000, what: 'the alert in Redis' },
  );
  t.match(tracked, { userId: rider.userId, status: 'open', tripId: 'trip-9' });
  t.ok(Date.parse(tracked.startedAt ?? '') > Date.now() - 60_000);
  t.match(JSON.parse(tracked.lastLocation ?? ''), { source: 'person', lat: 41.25 });
  t.ok((await live.commands.pttl(key)) > 0, 'and forgets it by itself');
  await close(alertId);
  await waitFor(async () => (await live.commands.exists(key)) === 0, { withinMs: 10_000, what: 'its end' });
});
