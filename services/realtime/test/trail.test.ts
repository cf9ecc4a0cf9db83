import type { SosView } from '@hushryd/contracts/http/sos';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import { createPublishPassing } from '@hushryd/platform/topics/publish-passing';
import t from 'tap';
import { listen } from './fake-internal-api.ts';
import { startTestRealtime, type TestSocket } from './start-realtime.ts';

const alertId = '01890a5d-ac96-774b-bcce-b302099a8057';
const topic = `sos:${alertId}`;
const trip = { tripId: 'trip-1', driverId: 'dora' };
const recordedAt = '2026-03-01T08:00:05.000Z';

/** A node whose api says of each person how they may hear of the alert. */
async function startNode(t: Parameters<typeof startTestRealtime>[0], views: Record<string, SosView | null>) {
  const api = await listen(t, (path, body) => {
    if (path !== '/internal/sos-access') return { status: 404, body: {} };
    const { questions } = body as { questions: { userId: string }[] };
    const found = questions.map(({ userId }) => views[userId] ?? null);
    return { status: 200, body: { allowed: found.map((view) => view !== null), views: found } };
  });
  const realtime = await startTestRealtime(t, { env: { INTERNAL_API_URLS: api.url } });
  await realtime.putTrip({
    ...trip,
    version: 1,
    state: 'active',
    passengerIds: ['rita'],
    startedAtMs: Date.now() - 60_000,
  });
  const { socket: driver, run } = await realtime.connectDriver(trip.driverId);
  let seq = 0;
  const drive = async (changes: object = {}) => {
    seq += 1;
    const recordedAtMs = Date.now();
    const fix = { seq, recordedAtMs, lat: 41.15 + seq * 1e-5, lng: -8.61, batteryPercent: 50, speedMps: 4 };
    driver.send({ type: 'loc', run, from: 1, tripId: trip.tripId, fixes: [fix], ...changes });
    await driver.next('recv', (frame) => frame.seq === seq);
    return { ...fix, recordedAt: new Date(recordedAtMs).toISOString() };
  };
  const { commands: redis } = realtime.redis;
  return {
    realtime,
    drive,
    publishEvent: createPublishEvent({ redis, keys: realtime.keys }),
    publishPassing: createPublishPassing({ redis, keys: realtime.keys }),
    async watch(userId: string, role: 'driver' | 'rider' | 'operator', protocol?: 'hushryd.v1.bin') {
      const socket = await realtime.connect(userId, role, protocol);
      socket.send({ type: 'sub', id: 1, topic });
      await socket.next('subscribed');
      return socket;
    },
  };
}

const pointOf = async (socket: TestSocket, source: 'driver' | 'person') =>
  (await socket.next('trail', ({ points }) => points[0]?.source === source)).points;

t.test('both phones are on the trail: the driver’s without who drives, and in either encoding', async (t) => {
  const node = await startNode(t, { olga: { as: 'staff', ...trip }, rita: { as: 'person', ...trip } });
  const before = await node.drive();
  const operator = await node.watch('olga', 'operator');
  const rita = await node.watch('rita', 'rider', 'hushryd.v1.bin');

  const expected = ({ lat, lng, recordedAt, speedMps }: typeof before) => [
    { source: 'driver', lat, lng, recordedAt, speedMps },
  ];
  t.same(await pointOf(operator, 'driver'), expected(before), 'where he is at once');
  const next = await node.drive();
  for (const socket of [operator, rita]) {
    const trailed = await socket.next('trail', ({ points }) => points[0]?.recordedAt === next.recordedAt);
    t.same(trailed, { type: 'trail', topic, points: expected(next) });
  }
  const own = [{ source: 'person' as const, lat: 41.2, lng: -8.6, recordedAt }];
  await node.publishPassing(topic, { trail: own });
  for (const socket of [operator, rita]) t.same(await pointOf(socket, 'person'), own);

  await node.drive({ tripId: undefined });
  const last = await node.drive();
  await operator.next('trail', ({ points }) => points[0]?.recordedAt === last.recordedAt);
  t.equal(
    operator.all('trail').filter(({ points }) => points[0]?.source === 'driver').length,
    3,
    'the trip’s fixes alone',
  );
  t.same([operator.all('position'), operator.all('beacon').filter(({ run }) => run !== undefined)], [[], []]);
});

t.test('a contact has the trail and what happens, but not the cancel that the person was made to give', async (t) => {
  const views: Record<string, SosView | null> = {
    carl: { as: 'contact', ...trip },
    rita: { as: 'person', ...trip },
  };
  const node = await startNode(t, views);
  const carl = await node.watch('carl', 'rider');
  const rita = await node.watch('rita', 'rider');
  const event = (name: string, version: number) => ({ name, alertId, at: recordedAt, version, state: 'open' });
  await node.publishEvent(topic, event('sos.raised', 1));
  await node.publishEvent(topic, event('sos.cancelled', 2));
  await node.publishEvent(topic, event('sos.acknowledged', 3));

  t.match(await rita.next('event', ({ offset }) => offset === 2), { event: { name: 'sos.cancelled' } });
  const acknowledged = await carl.next('event', ({ offset }) => offset === 3);
  t.match(acknowledged, { event: { name: 'sos.acknowledged' }, after: 1 });
  t.notOk(carl.all('event').some(({ offset }) => offset === 2));

  views.rita = { as: 'person', isTrailHidden: true };
  const own = [{ source: 'person' as const, lat: 41.2, lng: -8.6, recordedAt }];
  const isHeard = async () => {
    const before = rita.all('trail').length;
    await node.publishPassing(topic, { trail: own });
    await pointOf(carl, 'person');
    rita.send({ type: 'ping' });
    await rita.next('pong');
    return rita.all('trail').length > before;
  };
  await waitFor(async () => !(await isHeard()), { withinMs: 10_000, what: 'the next question of the node' });
  const known = rita.all('trail').length;
  await node.drive();
  await pointOf(carl, 'driver');
  rita.send({ type: 'ping' });
  await rita.next('pong');
  t.equal(rita.all('trail').length, known, 'nothing moves on a phone that shows it as cancelled');

  views.carl = null;
  t.match(await carl.next('unsubscribed'), { topic, reason: 'forbidden' });
});

t.test('an api that says no more than yes or no still lets its people in, without the driver', async (t) => {
  const api = await listen(t, (_path, body) => {
    const { questions } = body as { questions: { userId: string }[] };
    return { status: 200, body: { allowed: questions.map(({ userId }) => userId === 'rita') } };
  });
  const realtime = await startTestRealtime(t, { env: { INTERNAL_API_URLS: api.url } });
  const [rita, other] = [await realtime.connect('rita', 'rider'), await realtime.connect('mallory', 'rider')];
  for (const socket of [rita, other]) socket.send({ type: 'sub', id: 1, topic });

  t.match(await rita.next('subscribed'), { topic });
  t.match(await other.next('error'), { code: 'not_found' });
});

t.test('a person’s fixes are passed on with the identity of the socket, and never become positions', async (t) => {
  const reply = { alertId, run: 7, durableSeqs: [1], drops: [{ seq: 2, reason: 'future' }] };
  let answer: { status: number; body: unknown } = { status: 200, body: reply };
  const api = await listen(t, (path) => (path === '/internal/sos-fixes' ? answer : { status: 404, body: {} }));
  const realtime = await startTestRealtime(t, { env: { INTERNAL_API_URLS: api.url } });
  const { socket } = await realtime.connectDriver('dora');
  const fixes = [1, 2].map((seq) => ({ seq, recordedAtMs: Date.now(), lat: 41, lng: -8 }));

  socket.send({ type: 'sos_loc', id: 5, alertId, run: 7, fixes });
  t.same(await socket.next('sos_recv'), { type: 'sos_recv', id: 5, ...reply });
  t.same(api.asked.find(({ path }) => path === '/internal/sos-fixes')?.body, {
    userId: 'dora',
    alertId,
    run: 7,
    fixes,
  });
  t.same(await realtime.stored(), { positions: 0, fixes: [] });

  const faulty = [{ seq: 1, lat: 'north' }, null, { ...fixes[1], altitude: 90 }];
  socket.send({ type: 'sos_loc', id: 8, alertId, run: 7, fixes: faulty, userId: 'rita', app: 'newer' });
  await socket.next('sos_recv', ({ id }) => id === 8);
  t.same(
    api.asked.at(-1)?.body,
    { userId: 'dora', alertId, run: 7, fixes: faulty },
    'one bad fix is no reason to refuse the others, and nobody says by a frame who he is',
  );

  for (const [status, code, expected] of [
    [409, 'sos_state_conflict', { code: 'sos_state_conflict', retryable: false }],
    [404, 'not_found', { code: 'not_found', retryable: false }],
    [503, 'database_unavailable', { code: 'access_unavailable', retryable: true }],
    // Our mistake, and not the phone's.
    [401, 'token_invalid', { code: 'access_unavailable', retryable: true }],
  ] as const) {
    answer = { status, body: { code } };
    socket.send({ type: 'sos_loc', id: 6, alertId, run: 7, fixes });
    t.match(await socket.next('error'), { id: 6, ...expected });
  }
  socket.send({ type: 'sos_loc', id: 7, alertId, run: 7, fixes: [] });
  t.match(await socket.next('error'), { id: 7, code: 'frame_invalid' });
});
