import { once } from 'node:events';
import { connect } from 'node:net';
import { createTokenSigner } from '@hushryd/platform/auth/sign-token';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import t from 'tap';
import { readEvents } from './read-events.ts';
import {
  asDriver,
  asRider,
  createCollections,
  drive,
  environmentOf,
  fixesFrom,
  newId,
  operator,
  privateKeyPem,
  startNewTrip,
  startTestApi,
  tokenOf,
} from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const environment = environmentOf({ redis, mongo });
const api = await startTestApi(t, environment);
const other = await startTestApi(t, { ...environment, EVENT_STREAMS_MAX: '3', EVENT_STREAMS_PER_USER: '2' });
const keys = createKeys({ prefix: redis.prefix, partitions: 16 });
const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const connections = await connectRedis({ settings: redis.settings(), role: 'live', log });
t.teardown(() => connections.close());
const client = connections.commands;

const soon = { withinMs: 10_000 };
const setPassengers = (tripId: string, passengerIds: string[]) =>
  api.call(`PUT /v1/trips/${tripId}/passengers`, { as: operator, body: { passengerIds } });

t.test('a trip is followed: where its log stands, the newest position, then what comes', async (t) => {
  const trip = await startNewTrip(api);
  const topic = `trip:${trip.tripId}`;
  const run = await drive(api, trip.driverId, fixesFrom(1, 3), { tripId: trip.tripId });
  const stream = await readEvents(other, trip.tripId, { as: asRider(trip.passengerIds[0] as string) });
  t.teardown(stream.close);
  t.equal(stream.status, 200);
  t.equal(stream.headers['content-type'], 'text/event-stream');
  t.equal(stream.headers['cache-control'], 'no-store');
  t.equal(stream.headers['x-accel-buffering'], 'no');

  const { id, frame } = await stream.next('subscribed');
  t.match(frame, { topic, epoch: String, offset: 2, snapshot: { tripId: trip.tripId, version: 2, state: 'active' } });
  t.equal(frame.recovered, undefined);
  t.equal(id, `${frame.epoch}:2`);
  t.match((await stream.next('position')).frame, { topic, position: { run, seq: 3, state: 'on_trip' } });
  t.ok(stream.events.some(({ retry }) => retry !== undefined));

  await drive(api, trip.driverId, fixesFrom(4, 2), { tripId: trip.tripId, run });
  t.match(await stream.next('position'), { id: undefined, frame: { position: { seq: 5 } } });
  await setPassengers(trip.tripId, [...trip.passengerIds, 'ravi']);
  const event = await stream.next('event');
  t.match(event.frame, { topic, offset: 3, event: { name: 'trip.passengers_changed', version: 3 } });
  t.equal(event.id, `${frame.epoch}:3`);

  t.match((await stream.next('beacon')).frame, { topic, run, seq: 5, epoch: frame.epoch, offset: 3 });
  t.ok(
    stream.events.every(({ event: name, data }) => name === data?.type),
    'each is named after its frame',
  );
});

t.test('who comes back with a place is told all that was missed, in order, each once', async (t) => {
  const trip = await startNewTrip(api);
  const first = await readEvents(api, trip.tripId, { as: operator });
  const { id } = await first.next('subscribed');
  first.close();
  for (const passenger of ['one', 'two', 'three']) await setPassengers(trip.tripId, [passenger]);

  const back = await readEvents(other, trip.tripId, { as: operator, lastEventId: id as string });
  t.teardown(back.close);
  const subscribed = await back.next('subscribed');
  t.match(subscribed, { id: undefined, frame: { recovered: true, offset: 5 } }, 'the place moves with the events');
  t.equal(subscribed.frame.snapshot, undefined);
  await setPassengers(trip.tripId, ['four']);
  const offsets = [];
  for (let count = 0; count < 4; count += 1) offsets.push((await back.next('event')).frame.offset);
  t.same(offsets, [3, 4, 5, 6]);
});

t.test('what is gone for good is said, and a snapshot given', async (t) => {
  const trip = await startNewTrip(api);
  for (const lastEventId of ['another-epoch:1', 'another-epoch:99']) {
    const stream = await readEvents(api, trip.tripId, { as: operator, lastEventId });
    const { id, frame } = await stream.next('subscribed');
    t.match(frame, { recovered: false, offset: 2, snapshot: { state: 'active', version: 2 } });
    t.equal(id, `${frame.epoch}:2`);
    stream.close();
  }
  t.equal(
    (
      await api.call(`GET /v1/trips/${trip.tripId}/events`, {
        as: operator,
        headers: { 'last-event-id': 'no place' },
      })
    ).status,
    400,
  );
});

t.test('an event that was lost on its way is read from the log', async (t) => {
  const trip = await startNewTrip(api);
  const topic = `trip:${trip.tripId}`;
  const stream = await readEvents(api, trip.tripId, { as: operator });
  t.teardown(stream.close);
  await stream.next('subscribed');
  // One that never came by the feed, as if Redis had dropped the subscriber's buffer.
  const [epoch] = await client.hmget(keys.topicHead(topic), 'epoch');
  await client.hset(keys.topicHead(topic), 'offset', 3);
  const lost = { name: 'driver.heard', tripId: trip.tripId, driverId: trip.driverId, at: new Date().toISOString() };
  await client.xadd(keys.topicEvents(topic), '3-0', 'e', JSON.stringify(lost));

  await setPassengers(trip.tripId, ['one']);
  t.match((await stream.next('event')).frame, { epoch, offset: 3, event: { name: 'driver.heard' } });
  t.match((await stream.next('event')).frame, { epoch, offset: 4, event: { name: 'trip.passengers_changed' } });
});

t.test('a passenger who is taken off hears so, and nothing after it', async (t) => {
  const trip = await startNewTrip(api);
  const stream = await readEvents(other, trip.tripId, { as: asRider(trip.passengerIds[0] as string) });
  await stream.next('subscribed');

  await setPassengers(trip.tripId, []);
  t.match((await stream.next('unsubscribed')).frame, { topic: `trip:${trip.tripId}`, reason: 'forbidden' });
  await stream.over();
  t.equal(stream.events.at(-1)?.event, 'unsubscribed');
  t.notOk(stream.events.some(({ event }) => event === 'position'));
});

t.test("a trip's own people hear of its end before they are sent off; operators stay", async (t) => {
  const trip = await startNewTrip(api);
  const driver = await readEvents(other, trip.tripId, { as: asDriver(trip.driverId) });
  const desk = await readEvents(other, trip.tripId, { as: operator });
  t.teardown(desk.close);
  await Promise.all([driver.next('subscribed'), desk.next('subscribed')]);

  await api.call(`POST /v1/trips/${trip.tripId}/end`, { as: operator });
  await driver.over();
  t.same(
    driver.events.flatMap(({ data }) => (data === undefined || data.type === 'beacon' ? [] : [data.type])),
    ['subscribed', 'event', 'unsubscribed'],
  );
  t.match((await desk.next('event')).frame, { event: { name: 'trip.ended' } });
  t.equal(desk.isOver, false);
});

t.test('a driver who is gone is said to be gone, once', async (t) => {
  const trip = await startNewTrip(api);
  const run = await drive(api, trip.driverId, fixesFrom(1, 1), { tripId: trip.tripId });
  const stream = await readEvents(api, trip.tripId, { as: operator });
  t.teardown(stream.close);
  await stream.next('position');
  const p = keys.driverPartition(trip.driverId);
  const driver = Buffer.from(trip.driverId);
  const number = Buffer.alloc(8);
  number.writeDoubleLE(await client.incr(keys.positionFeedNumber(p)));
  await client.call('SPUBLISH', keys.positionFeed(p), Buffer.concat([number, Buffer.from([2, driver.length]), driver]));
  t.match((await stream.next('gone')).frame, { driverId: trip.driverId });
  await drive(api, trip.driverId, fixesFrom(2, 1), { tripId: trip.tripId, run });
  t.match((await stream.next('position')).frame, { position: { seq: 2 } });
});

t.test("the token's end is the stream's", async (t) => {
  const trip = await startNewTrip(api);
  const signer = createTokenSigner({ privateKeyPem, kid: 'test', issuer: 'hushryd' });
  const token = signer.sign({ userId: 'olga', role: 'operator', audience: 'admin', lifetimeMs: 2_000 });
  const stream = await readEvents(api, trip.tripId, { as: operator, token });
  t.match((await stream.next('error')).frame, { code: 'token_expired' });
  await stream.over();
});

t.test('a session that was ended ends its streams, on every node', async (t) => {
  const trip = await startNewTrip(api);
  const rider = asRider(trip.passengerIds[0] as string);
  const stream = await readEvents(other, trip.tripId, { as: rider });
  await stream.next('subscribed');
  const { status } = await api.call(`POST /v1/users/${rider.userId}/sign-out`, { as: operator, body: {} });
  t.ok(status < 300, `${status}`);
  t.match((await stream.next('error')).frame, { code: 'token_revoked' });
  await stream.over();
});

t.test('streams are limited, by user and in all, and come free', async (t) => {
  const trip = await startNewTrip(api);
  const refusedMetric = /event_streams_refused_total\{[^}]*reason="node_full"/;
  await waitFor(async () => (await openStreams(other.metricsUrl)) === 0, { ...soon, what: 'no stream of before' });
  const first = await readEvents(other, trip.tripId, { as: operator });
  const second = await readEvents(other, trip.tripId, { as: operator });
  const route = `GET /v1/trips/${trip.tripId}/events`;

  const third = await other.call(route, { as: operator });
  t.equal(third.status, 429);
  t.match(third.body, { code: 'too_many_streams' });
  t.equal(third.headers.get('retry-after'), '5');
  const driver = await readEvents(other, trip.tripId, { as: asDriver(trip.driverId) });
  const rider = await other.call(route, { as: asRider(trip.passengerIds[0] as string) });
  t.equal(rider.status, 503);
  t.match(rider.body, { code: 'node_full' });
  t.match(await (await fetch(other.metricsUrl)).text(), refusedMetric);

  for (const stream of [first, second, driver]) stream.close();
  await waitFor(async () => (await openStreams(other.metricsUrl)) === 0, { ...soon, what: 'the places to come free' });
  t.equal((await other.call(route, { as: operator })).status, 200);
  const unknown = await Promise.all(
    Array.from({ length: 5 }, () => other.call(`GET /v1/trips/${newId('trip')}/events`, { as: operator })),
  );
  t.ok(unknown.every(({ status }) => status === 404 || status === 429));
  await waitFor(async () => (await openStreams(other.metricsUrl)) === 0, {
    ...soon,
    what: 'refused ones to hold no place',
  });
});

t.test('all 300 events of a log are told to one that comes back for them', async (t) => {
  const trip = await startNewTrip(api);
  const first = await readEvents(api, trip.tripId, { as: operator });
  const { id } = await first.next('subscribed');
  first.close();
  const publish = createPublishEvent({ redis: client, keys });
  const fact = { name: 'driver.heard', tripId: trip.tripId, driverId: trip.driverId, at: new Date().toISOString() };
  await Promise.all(Array.from({ length: 300 }, () => publish(`trip:${trip.tripId}`, fact)));

  const back = await readEvents(other, trip.tripId, { as: operator, lastEventId: id as string });
  t.teardown(back.close);
  t.match((await back.next('subscribed')).frame, { recovered: true, offset: 302 });
  await waitFor(() => back.events.at(-1)?.id?.endsWith(':302'), { ...soon, what: 'the last event' });
  t.same(
    back.events.flatMap(({ data }) => (data?.type === 'event' ? [data.offset] : [])),
    Array.from({ length: 300 }, (_, index) => index + 3),
  );
});

t.test('a client that stops reading is cut, and gives its place back', async (t) => {
  const trip = await startNewTrip(api);
  const publish = createPublishEvent({ redis: client, keys });
  const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(
    `GET /v1/trips/${trip.tripId}/events HTTP/1.1\r\nhost: api\r\nauthorization: Bearer ${tokenOf('operator', 'olga')}\r\n\r\n`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  t.match(String(head), '200 OK');

  // What the kernel holds for both ends comes on top of what the node holds.
  const slowEnds = /event_streams_ended_total\{[^}]*reason="slow"/;
  const isCut = async () => slowEnds.test(await (await fetch(other.metricsUrl)).text());
  for (let sent = 0; sent < 300 && !(sent % 20 === 0 && (await isCut())); sent += 1) {
    await publish(`trip:${trip.tripId}`, { name: 'driver.heard', text: 'x'.repeat(50_000) });
  }
  await waitFor(isCut, { ...soon, what: 'the cut' });
  await waitFor(async () => (await openStreams(other.metricsUrl)) === 0, { ...soon, what: 'the place' });
});

t.test('who cannot read a stream polls: each answer ends with the first news, and nothing is told twice', async (t) => {
  const trip = await startNewTrip(api);
  const run = await drive(api, trip.driverId, fixesFrom(1, 1), { tripId: trip.tripId });
  const ask = async (query: string, lastEventId?: string) => {
    const poll = await readEvents(other, trip.tripId, { as: operator, query, ...(lastEventId && { lastEventId }) });
    await poll.over();
    return poll.events.flatMap(({ id, data }) => (data === undefined ? [] : [{ id, ...data }]));
  };
  const first = await ask('?waitSeconds=30');
  t.match(first, [{ type: 'subscribed' }, { type: 'position', position: { seq: 1 } }]);
  const id = first[0]?.id as string;

  const known = `${run}-1-on_trip`;
  t.match(await ask(`?waitSeconds=0&known=${known}`, id), [{ type: 'subscribed', recovered: true }]);
  const waiting = ask(`?waitSeconds=30&known=${known}`, id);
  await waitFor(async () => (await openStreams(other.metricsUrl)) === 1, { ...soon, what: 'the poll' });
  await drive(api, trip.driverId, fixesFrom(2, 1), { tripId: trip.tripId, run });
  t.match((await waiting).slice(1), [{ type: 'position', position: { seq: 2 } }]);

  await setPassengers(trip.tripId, ['one']);
  await setPassengers(trip.tripId, ['two']);
  const missed = await ask(`?waitSeconds=30&known=${run}-2-on_trip`, id);
  t.match(missed.slice(1), [
    { type: 'event', offset: 3 },
    { type: 'event', offset: 4 },
  ]);
  t.equal(missed.length, 3);
});

t.test('a node that shuts down sends everybody away with a hint', async (t) => {
  const leaving = await startTestApi(t, environment);
  const trip = await startNewTrip(api);
  const streams = await Promise.all([1, 2, 3].map(() => readEvents(leaving, trip.tripId, { as: operator })));
  await Promise.all(streams.map((stream) => stream.next('subscribed')));

  const closed = leaving.close();
  for (const stream of streams) {
    const { retryInMs } = (await stream.next('draining')).frame;
    t.ok(stream.events.some(({ retry }) => retry === retryInMs));
    await stream.over();
  }
  t.equal(await closed, true);
});

async function openStreams(metricsUrl: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  return Number(/^event_streams(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1]);
}
