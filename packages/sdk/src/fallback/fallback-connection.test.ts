import type { Position } from '@hushryd/contracts/fix';
import { test } from 'tap';
import { problem } from '../../test/support/fake-api.ts';
import { createFakeSockets } from '../../test/support/fake-socket.ts';
import { createFakeStreams, encodeFrame } from '../../test/support/fake-streams.ts';
import { createManualRuntime } from '../../test/support/manual-runtime.ts';
import { createDriverClient } from '../driver-client.ts';
import { createMemoryFixStore } from '../fixes/fix-store.ts';
import type { GetToken } from '../http/get-token.ts';
import { createRiderClient } from '../rider-client.ts';
import { isBlocked, returnDelayMs } from './is-blocked.ts';

const topic = 'trip:one';
const event = (offset: number) =>
  ({
    type: 'event',
    topic,
    epoch: 'e1',
    offset,
    event: { name: 'trip.passengers_changed', tripId: 'one', at: '2026-03-01T08:15:30.000Z', version: offset },
  }) as const;
const at = (seq: number): Position => ({
  driverId: 'dora',
  tripId: 'one',
  state: 'on_trip',
  run: 1,
  seq,
  recordedAtMs: seq,
  lat: 41,
  lng: -8,
});
const position = (seq: number) => ({ type: 'position', topic, position: at(seq) }) as const;
const stands = (offset: number, recovered?: boolean) =>
  ({ type: 'subscribed', topic, epoch: 'e1', offset, ...(recovered !== undefined && { recovered }) }) as const;

function setUp() {
  const runtime = createManualRuntime();
  const sockets = createFakeSockets(runtime.now);
  const api = createFakeStreams();
  let areBlocked = false;
  // As a proxy that knows no websockets: cut before anything was said.
  sockets.onOpen = (socket) => void (areBlocked && Promise.resolve().then(() => socket.close(1006)));
  const options = {
    realtimeUrl: 'ws://realtime.example',
    apiUrl: 'http://api.example',
    getToken: () => 'token',
    createSocket: sockets.createSocket,
    fetch: api.fetch,
    ...runtime,
  };
  return {
    runtime,
    sockets,
    api,
    options,
    block: (are: boolean) => {
      areBlocked = are;
    },
  };
}

function watchTrip() {
  const parts = setUp();
  const rider = createRiderClient(parts.options);
  const told: string[] = [];
  const states: string[] = [];
  const errors: string[] = [];
  rider.on('state', (state) => states.push(state.name === 'live' ? state.transport : state.name));
  rider.on('error', ({ message }) => errors.push(message));
  rider.watchTrip('one', {
    onPosition: ({ seq }) => told.push(`at ${seq}`),
    onEvent: (heard) => told.push(`event ${'version' in heard ? heard.version : ''}`),
    onMissed: () => told.push('missed'),
    onGone: () => told.push('gone'),
    onEnded: (reason) => told.push(`ended ${reason}`),
  });
  return { ...parts, rider, told, states, errors };
}

test('blocked for a while, the api answers: on by a stream, and back over a websocket, each event once', async (t) => {
  const { rider, sockets, runtime, api, told, states, block } = watchTrip();
  void rider.connect();
  await runtime.settle();
  sockets.last.ready();
  await runtime.settle();
  sockets.last.say(stands(2));
  sockets.last.say(position(5));
  sockets.last.say(event(3));

  await runtime.advance(20_000);
  block(true);
  sockets.last.close(1006);
  await runtime.advance(20_000);
  t.match(rider.state, { name: 'live', transport: 'sse' });
  t.equal(api.last.lastEventId, 'e1:3');
  api.last.say(stands(4, true), position(4), event(4), event(4));
  await runtime.settle();
  api.last.say(position(7), event(5));
  await runtime.settle();

  block(false);
  const before = sockets.all.length;
  for (let seconds = 0; seconds < 30 && sockets.all.length === before; seconds += 1) await runtime.advance(1_000);
  t.equal(api.last.isOpen, true, 'the stream goes on until the socket stands');
  api.last.say(event(6));
  await runtime.settle();
  sockets.last.ready();
  await runtime.settle();
  t.match(rider.state, { name: 'live', transport: 'websocket' });
  t.equal(api.last.isOpen, false);
  t.match(sockets.last.sentOf('sub').at(-1), { topic, epoch: 'e1', offset: 6 });
  sockets.last.say(stands(7, true));
  sockets.last.say(position(6));
  sockets.last.say(event(7));
  t.same(told, ['at 5', 'event 3', 'event 4', 'at 7', 'event 5', 'event 6', 'event 7']);
  t.same(
    states.filter((name) => name === 'websocket' || name === 'sse' || name === 'poll'),
    ['websocket', 'sse', 'websocket'],
  );
  rider.close();
});

test('websockets are tried more and more seldom, and nobody hears of a try that fails', async (t) => {
  const { rider, sockets, runtime, api, block, states } = watchTrip();
  block(true);
  void rider.connect();
  await runtime.advance(20_000);
  t.match(rider.state, { transport: 'sse' });
  const before = sockets.all.length;
  const stateCount = states.length;
  for (let seconds = 0; seconds < 30 * 60; seconds += 10) {
    api.last.sayText(':\n\n');
    await runtime.advance(10_000);
  }
  // 22, 45, 90, 180 s and then each 225 s with the middle of all chances.
  t.equal(sockets.all.length - before, 10);
  t.equal(states.length, stateCount);

  block(false);
  void rider.connect();
  await runtime.settle();
  sockets.last.ready();
  await runtime.settle();
  t.match(rider.state, { transport: 'websocket' }, 'the app that knows better is heard at once');
  rider.close();
});

test('a lost network is no blocked websocket', async (t) => {
  const { rider, runtime, api, block } = watchTrip();
  block(true);
  api.isReachable = false;
  void rider.connect();
  await runtime.advance(120_000);
  t.not(rider.state.name, 'live');
  t.equal(api.streams.length, 0);
  api.isReachable = true;
  await runtime.advance(20_000);
  t.match(rider.state, { transport: 'sse' });

  api.isReachable = false;
  api.last.end();
  await runtime.advance(20_000);
  t.not(rider.state.name, 'live', 'and the api that is lost as well is said');
  rider.close();
  t.match(rider.state, { name: 'closed', reason: 'closed_by_app' });
  await runtime.advance(1);
  t.equal(runtime.pendingTimers, 0);
});

test('where answers come only when complete, the trip is polled from place to place', async (t) => {
  const { rider, runtime, api, told, block } = watchTrip();
  block(true);
  api.canStream = false;
  void rider.connect();
  await runtime.advance(20_000);
  t.match(api.last.url, /waitSeconds=25$/);
  api.last.sayText(encodeFrame(stands(2)) + encodeFrame(position(5)));
  api.last.end();
  await runtime.advance(1_000);
  t.match(rider.state, { transport: 'poll' });
  t.match(api.last, { url: /known=1-5-on_trip$/, lastEventId: 'e1:2' });
  api.last.sayText(encodeFrame(stands(3, true)) + encodeFrame(event(3)));
  api.last.end();
  await runtime.advance(1_000);
  t.equal(api.last.lastEventId, 'e1:3');
  t.same(told, ['at 5', 'event 3']);
  rider.close();
});

for (const holdsBack of ['bodies', 'answers'] as const) {
  test(`a proxy that holds back ${holdsBack} of streams: all trips are polled, and nothing counts as lost`, async (t) => {
    const { rider, runtime, api, sockets, states, told, block } = watchTrip();
    block(true);
    api.holdsBack = holdsBack;
    const topics = ['one', 'two', 'three'];
    rider.watchTrip('two', { onSubscribed: () => told.push('two') });
    rider.watchTrip('three', { onSubscribed: () => told.push('three') });
    api.answer = (path) => {
      if (!path.includes('waitSeconds')) return undefined;
      const tripId = topics.find((topic) => path.includes(`/${topic}/`)) as string;
      return { status: 200, body: encodeFrame({ ...stands(2), topic: `trip:${tripId}` }) };
    };
    void rider.connect();
    await runtime.advance(90_000);
    t.match(rider.state, { name: 'live', transport: 'poll' });
    t.ok(told.includes('two') && told.includes('three'));
    t.equal(api.streams.length, 6, 'two tries a trip');
    t.strictSame([...new Set(states.slice(states.indexOf('poll')))], ['poll'], states.join(' '));

    // The api is lost and comes back, in the same network.
    api.isReachable = false;
    await runtime.advance(120_000);
    t.not(rider.state.name, 'live');
    api.isReachable = true;
    await runtime.advance(60_000);
    t.match(rider.state, { name: 'live', transport: 'poll' });
    t.equal(api.streams.length, 6, 'what was found out holds');

    // A websocket stood: this is another network, and its way for streams is free.
    api.holdsBack = 'nothing';
    api.answer = () => undefined;
    block(false);
    void rider.connect();
    await runtime.settle();
    sockets.last.ready();
    await runtime.settle();
    t.match(rider.state, { transport: 'websocket' });
    block(true);
    sockets.last.close(1006);
    await runtime.advance(20_000);
    t.match(rider.state, { name: 'live', transport: 'sse' });
    t.notMatch(api.last.url, /waitSeconds/);
    rider.close();
  });
}

test('a trip that cannot be told for the moment takes no other with it', async (t) => {
  const { rider, runtime, api, states, block } = watchTrip();
  block(true);
  api.answer = (path) => (path.includes('/two/') ? problem(503, 'access_unavailable') : undefined);
  rider.watchTrip('two', {});
  void rider.connect();
  await runtime.advance(20_000);
  for (let seconds = 0; seconds < 60; seconds += 10) {
    api.last.sayText(':\n\n');
    await runtime.advance(10_000);
  }
  t.ok(api.posts.length > 3);
  t.equal(api.streams.length, 1, 'the other stream goes on');
  t.equal(states.at(-1), 'sse');
  rider.close();
});

test('a token that was just replaced is refused to three trips at once, and that is not twice in a row', async (t) => {
  const { rider, runtime, api, block } = watchTrip();
  block(true);
  const asked: string[] = [];
  api.answer = (path) => {
    if (!path.includes('/events')) return undefined;
    asked.push(path);
    return asked.length <= 3 ? problem(401, 'token_invalid') : undefined;
  };
  rider.watchTrip('two', {});
  rider.watchTrip('three', {});
  void rider.connect();
  await runtime.advance(20_000);
  t.match(rider.state, { name: 'live', transport: 'sse' });
  rider.close();
});

test('the end of access, of the token, of the node', async (t) => {
  const { rider, runtime, api, told, block } = watchTrip();
  block(true);
  void rider.connect();
  await runtime.advance(20_000);
  api.last.say(stands(2), {
    type: 'error',
    topic,
    code: 'token_expired',
    message: 'The token has expired',
    retryable: true,
  });
  api.last.end();
  await runtime.advance(2_000);
  t.equal(api.streams.length, 2);
  t.equal(api.last.lastEventId, 'e1:2');

  api.last.say({ type: 'draining', retryInMs: 4_000 });
  api.last.end();
  await runtime.advance(3_900);
  t.equal(api.streams.length, 2);
  await runtime.advance(200);
  t.equal(api.streams.length, 3);

  api.last.say({ type: 'unsubscribed', topic, reason: 'forbidden' });
  await runtime.settle();
  t.same(told, ['ended forbidden']);
  t.equal(api.last.isOpen, false);
  await runtime.advance(20_000);
  t.equal(api.streams.length, 3);

  api.answer = (path) => (path.includes('/two/') ? problem(404, 'not_found') : undefined);
  rider.watchTrip('two', { onEnded: (reason) => told.push(`two ended ${reason}`) });
  await runtime.advance(1_000);
  t.same(told, ['ended forbidden', 'two ended not_found']);
  rider.close();
});

test('a token that is refused twice ends it, as over a socket', async (t) => {
  const { rider, runtime, api, block } = watchTrip();
  block(true);
  api.answer = (path) => (path.includes('/events') ? problem(401, 'token_invalid') : undefined);
  void rider.connect();
  await runtime.advance(30_000);
  t.match(rider.state, { name: 'closed', reason: 'refused' });
});

test('over HTTP too a refused token is named, and others of the same second end nothing', async (t) => {
  const { options, runtime, api, block } = setUp();
  block(true);
  const asked: (string | undefined)[] = [];
  const getToken: GetToken = ({ refused }) => {
    if (refused !== asked.at(-1)) asked.push(refused);
    return refused === undefined ? 'first' : `not ${refused}`;
  };
  // Whatever was issued in the second of the revocation is refused with what was issued before.
  let refusedUntilMs = Number.NEGATIVE_INFINITY;
  api.answer = (path, body) => {
    const isWatch = path.includes('/events');
    if (!isWatch && !path.startsWith('/v1/drivers/me/')) return undefined;
    if (runtime.now() < refusedUntilMs) return problem(401, 'token_revoked');
    const { fixes = [] } = (body ?? {}) as { fixes?: { seq: number }[] };
    const receivedSeq = Math.max(0, ...fixes.map(({ seq }) => seq));
    return isWatch
      ? undefined
      : { status: 200, body: { run: 5, durableSeq: 0, location: null, receivedSeq, drops: [] } };
  };
  const rider = createRiderClient({ ...options, getToken });
  rider.watchTrip('one', {});
  const driver = createDriverClient({ ...options, getToken });
  void rider.connect();
  void driver.connect();
  await runtime.advance(20_000);
  t.match([rider.state, driver.state], [{ transport: 'sse' }, { transport: 'poll' }]);

  for (let n = 0; n < 350; n += 1) driver.addFix({ recordedAtMs: runtime.now(), lat: 41, lng: -8 });
  refusedUntilMs = runtime.now() + 900;
  api.last.end();
  await runtime.advance(10_000);
  t.match([rider.state, driver.state], [{ transport: 'sse' }, { transport: 'poll' }]);
  t.same(new Set(asked), new Set([undefined, 'first']));

  refusedUntilMs = Number.POSITIVE_INFINITY;
  api.last.end();
  driver.addFix({ recordedAtMs: runtime.now(), lat: 41, lng: -8 });
  await runtime.advance(10_000);
  t.match([rider.state, driver.state], [{ reason: 'refused' }, { reason: 'refused' }]);
  await driver.close();
});

test('who was refused while a websocket was being opened stays refused', async (t) => {
  const { rider, runtime, api, sockets, block } = watchTrip();
  block(true);
  void rider.connect();
  await runtime.advance(20_000);
  t.match(rider.state, { transport: 'sse' });

  block(false);
  void rider.connect();
  await runtime.settle();
  const returning = sockets.last;
  t.equal(returning.isOpen, true, 'a return is under way');
  api.answer = (path) => (path.includes('/events') ? problem(401, 'token_revoked') : undefined);
  api.last.end();
  await runtime.advance(8_000);
  t.match(rider.state, { name: 'closed', reason: 'refused' });
  returning.ready();
  await runtime.settle();
  t.match(rider.state, { name: 'closed', reason: 'refused' });
  t.equal(returning.isOpen, false);
  t.equal(runtime.pendingTimers, 0);
});

test('no ticket for the moment is no blocked websocket, and the api is not asked for streams instead', async (t) => {
  for (const refusal of [problem(503, 'redis_unavailable'), problem(429, 'too_many_sockets', { 'retry-after': '2' })]) {
    const { rider, runtime, api, sockets, states } = watchTrip();
    let isAway = true;
    api.answer = (path) => (isAway && path === '/v1/realtime/tickets' ? refusal : undefined);
    void rider.connect();
    await runtime.advance(120_000);
    t.equal(api.streams.length, 0);
    t.match(rider.state, { name: 'reconnecting' });
    isAway = false;
    for (let seconds = 0; seconds < 15 && sockets.all.length === 0; seconds += 1) await runtime.advance(1_000);
    sockets.last.ready();
    await runtime.settle();
    t.equal(states.at(-1), 'websocket');
    rider.close();
  }
});

test('nobody is live before something was answered over HTTP, and the socket is tried as ever until then', async (t) => {
  const { runtime, sockets, api, states, rider, block } = watchTrip();
  block(true);
  // As with Redis away: the api is there, and has nothing to say.
  let isAway = true;
  api.answer = (path) => (isAway && path.includes('/events') ? problem(503, 'redis_unavailable') : undefined);
  void rider.connect();
  await runtime.advance(60_000);
  const triedBefore = sockets.all.length;
  const askedBefore = api.posts.length;
  await runtime.advance(300_000);
  t.ok(askedBefore > 0, 'HTTP was tried');
  t.strictSame([...new Set(states)].sort(), ['connecting', 'reconnecting']);
  const tried = sockets.all.length - triedBefore;
  t.ok(tried >= 30 && tried <= 80, `${tried} sockets in 300 s`);
  const asked = api.posts.length - askedBefore;
  t.ok(asked <= 250, `${asked} requests in 300 s`);

  isAway = false;
  await runtime.advance(20_000);
  t.equal(states.at(-1), 'sse');
  rider.close();
  t.equal(runtime.pendingTimers, 0);
});

test('a driver is live over HTTP once a run was answered', async (t) => {
  const { runtime, api, options, block } = setUp();
  block(true);
  let isAway = true;
  api.answer = (path) => {
    if (path !== '/v1/drivers/me/runs') return undefined;
    return isAway
      ? problem(503, 'redis_unavailable')
      : { status: 200, body: { run: 7, durableSeq: 0, location: null } };
  };
  const driver = createDriverClient(options);
  const states: string[] = [];
  driver.on('state', ({ name }) => states.push(name));
  void driver.connect();
  await runtime.advance(120_000);
  t.ok(api.posts.length > 2);
  t.notOk(states.includes('live'));
  isAway = false;
  await runtime.advance(30_000);
  t.match(driver.state, { name: 'live', transport: 'poll' });
  await driver.close();
});

test('while something is wanted that only a websocket brings, one is tried at the usual pace', async (t) => {
  const { rider, runtime, sockets, api, block } = watchTrip();
  block(true);
  const notices = rider.watchUser('rita', {});
  void rider.connect();
  await runtime.advance(20_000);
  t.match(rider.state, { name: 'live', transport: 'sse' }, 'the trip is served');
  const within = async (ms: number) => {
    const before = sockets.all.length;
    for (let passedMs = 0; passedMs < ms; passedMs += 10_000) {
      api.last.sayText(':\n\n');
      await runtime.advance(10_000);
    }
    return sockets.all.length - before;
  };
  t.ok((await within(600_000)) >= 60, 'at least every 10 s');

  notices.close();
  await within(10_000);
  t.ok((await within(600_000)) <= 6, 'the trip alone can wait');
  rider.watchUser('rita', {});
  t.ok((await within(10_000)) > 0, 'wanted again');
  block(false);
  await within(10_000);
  sockets.last.ready();
  await runtime.settle();
  t.match(rider.state, { transport: 'websocket' });
  rider.close();
});

test('who wants nothing that HTTP has stays with websockets; who wants nothing yet goes over', async (t) => {
  const { runtime, options, api, block } = setUp();
  block(true);
  const [deaf, idle] = [createRiderClient(options), createRiderClient(options)];
  deaf.watchUser('rita', {});
  void deaf.connect();
  void idle.connect();
  await runtime.advance(60_000);
  t.match(deaf.state, { name: /connecting/ });
  t.match(idle.state, { name: 'live', transport: 'poll' });
  idle.watchTrip('one', {});
  await runtime.advance(1_000);
  t.equal(api.streams.length, 1);
  t.match(idle.state, { transport: 'sse' });
  deaf.close();
  idle.close();
});

test('a driver goes on over HTTP: sent in order, kept until durable', async (t) => {
  const { runtime, api, options, block } = setUp();
  const stored: number[] = [];
  let durableSeq = 0;
  api.answer = (path, body) => {
    if (path === '/v1/drivers/me/runs') return { status: 200, body: { run: 77, durableSeq, location: null } };
    if (path !== '/v1/drivers/me/fixes') return undefined;
    const { run, fixes } = body as { run: number; fixes: { seq: number }[] };
    const seqs = fixes.map(({ seq }) => seq);
    const drops = seqs.filter((seq) => seq === 2).map((seq) => ({ seq, reason: 'inaccurate' }));
    stored.push(...seqs.filter((seq) => seq !== 2));
    return {
      status: 200,
      body: {
        run,
        receivedSeq: Math.max(0, ...seqs),
        durableSeq,
        drops,
        ...(seqs.length > 0 && { refusedTripId: 'no' }),
      },
    };
  };
  block(true);
  const driver = createDriverClient(options);
  const heard: string[] = [];
  driver.on('drop', ({ seq, reason }) => heard.push(`drop ${seq} ${reason}`));
  driver.on('error', ({ message }) => heard.push(message));
  driver.on('durable', ({ seq }) => heard.push(`durable ${seq}`));
  for (let i = 0; i < 150; i += 1) driver.addFix({ recordedAtMs: i, lat: 41, lng: -8 }, { tripId: 'no' });
  void driver.connect();
  await runtime.advance(20_000);
  t.match(driver.state, { name: 'live', transport: 'poll' });
  t.equal(driver.run, 77);
  t.same(stored, [1, ...Array.from({ length: 148 }, (_, index) => index + 3)]);
  t.equal(driver.pendingCount, 149);

  durableSeq = 150;
  await runtime.advance(3_000);
  t.equal(driver.pendingCount, 0);
  t.same(heard, ['drop 2 inaccurate', 'trip:no: There is no such trip, or it is not yours', 'durable 150']);
  const asked = api.posts.length;
  await runtime.advance(20_000);
  t.equal(api.posts.length, asked, 'nothing is asked while nothing is owed');
  await driver.close();
});

test('over HTTP a phone hears what it hears over a socket: a slower cadence, the phone that overtook it, the run to go on in', async (t) => {
  const { runtime, api, options, block } = setUp();
  let more: object = { cadenceMs: 5_000 };
  api.answer = (path, body) => {
    if (!path.startsWith('/v1/drivers/me/')) return undefined;
    const { run = 5, fixes = [] } = body as { run?: number; fixes?: { seq: number }[] };
    const receivedSeq = Math.max(0, ...fixes.map(({ seq }) => seq));
    const own = run === 5 ? more : {};
    return { status: 200, body: { run, durableSeq: 0, location: null, receivedSeq, drops: [], ...own } };
  };
  block(true);
  const driver = createDriverClient(options);
  const cadences: (number | undefined)[] = [];
  const overtaken: unknown[] = [];
  driver.on('recv', ({ cadenceMs }) => cadences.push(cadenceMs));
  driver.on('superseded', ({ byRun, offeredRun }) => overtaken.push([byRun, offeredRun]));
  const drive = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      driver.addFix({ recordedAtMs: runtime.now(), lat: 41, lng: -8 });
      await runtime.advance(1_000);
    }
  };
  void driver.connect();
  await runtime.advance(20_000);
  await drive(3);
  t.same(cadences, [5_000, undefined, undefined], 'said once');
  more = { supersededBy: 7 };
  await drive(2);
  t.equal(cadences.at(-2), 0);
  t.same(overtaken, [[7, undefined]]);

  more = { supersededBy: 7, offeredRun: 9 };
  await drive(3);
  t.same(overtaken, [
    [7, undefined],
    [7, 9],
  ]);
  t.equal(driver.run, 9);
  t.match(
    api.posts.filter(({ path }) => path.endsWith('/runs')).map(({ body }) => body),
    [{ run: undefined }, { run: 9, from: 1 }],
  );
  const sent = api.posts.map(({ body }) => body as { run: number; fixes?: object[] });
  t.ok(sent.some(({ run, fixes = [] }) => run === 9 && fixes.length > 0));
  await driver.close();
});

test('a run that the server has forgotten keeps no other waiting, and its fixes go into a new one', async (t) => {
  const { runtime, api, options, block } = setUp();
  const store = createMemoryFixStore();
  const kept = (seq: number) => ({ fix: { seq, recordedAtMs: seq, lat: 41, lng: -8 } });
  await store.save({ version: 1, runs: [{ run: 70, fixes: [kept(1), kept(2)] }] });
  let newestRun = 80;
  let isForgotten = false;
  let durableSeq = 0;
  api.answer = (path, body) => {
    if (!path.startsWith('/v1/drivers/me/')) return undefined;
    const { run, fixes = [] } = body as { run?: number; fixes?: { seq: number }[] };
    if (run === 70 && isForgotten) return problem(409, 'run_unknown');
    const seqs = fixes.map(({ seq }) => seq);
    const reply = { run: run ?? ++newestRun, durableSeq, location: null, receivedSeq: Math.max(0, ...seqs), drops: [] };
    return { status: 200, body: reply };
  };
  block(true);
  const driver = createDriverClient({ ...options, store });
  void driver.connect();
  driver.addFix({ recordedAtMs: 3, lat: 41, lng: -8 });
  await runtime.advance(20_000);
  t.equal(driver.run, 81);
  t.equal(driver.pendingCount, 3);

  isForgotten = true;
  durableSeq = 1;
  await runtime.advance(6_000);
  t.equal(driver.pendingCount, 2, 'the fix of the run that is known is durable');
  await runtime.advance(6_000);
  t.match(api.posts.at(-1)?.body, { run: 81 }, 'the others are sent in the run that takes new fixes');
  durableSeq = 3;
  await runtime.advance(6_000);
  t.equal(driver.pendingCount, 0);
  await driver.close();
});

test('when is it blocked, and when to look again', async (t) => {
  t.equal(isBlocked({ failed: 3, sinceMs: 8_000, lastTookMs: 10 }), true);
  t.equal(isBlocked({ failed: 9, sinceMs: 7_999, lastTookMs: 10 }), false, 'a node may be starting again');
  t.equal(isBlocked({ failed: 1, sinceMs: 10_000, lastTookMs: 10_000 }), true, 'one that hangs says enough');
  t.equal(isBlocked({ failed: 2, sinceMs: 60_000, lastTookMs: 10 }), false);
  t.equal(isBlocked({ failed: 0, sinceMs: 60_000, lastTookMs: 0 }), false);
  t.equal(returnDelayMs({ failed: 0, random: () => 0 }), 15_000);
  t.equal(returnDelayMs({ failed: 1, random: () => 1 }), 60_000);
  t.equal(returnDelayMs({ failed: 20, random: () => 1 }), 300_000);
});

test('who is sent away by a busy or draining node waits for it, and does not go to the api', async (t) => {
  const { runtime, sockets, rider, states } = watchTrip();
  void rider.connect();
  await runtime.settle();
  for (let time = 0; time < 5; time += 1) {
    sockets.last.say({ type: 'busy', retryInMs: 4000 });
    sockets.last.close(1013);
    await runtime.advance(4000);
  }
  sockets.last.ready();
  await runtime.advance(9000);
  sockets.last.say({ type: 'draining', retryInMs: 2000 });
  sockets.last.close(1012);
  await runtime.advance(2000);
  sockets.last.ready();
  await runtime.advance(9000);
  sockets.last.close(1006);
  await runtime.advance(500);
  t.notOk(states.includes('sse') || states.includes('poll'), states.join(' '));
  rider.close();
});
