import type { Position } from '@hushryd/contracts/fix';
import type { MapFrame } from '@hushryd/contracts/realtime/server-frames';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { test } from 'tap';
import { createFakeApi } from '../../test/support/fake-api.ts';
import { createFakeSockets } from '../../test/support/fake-socket.ts';
import { createManualRuntime } from '../../test/support/manual-runtime.ts';
import { createConsoleClient } from '../console-client.ts';
import type { MapHandlers, WatchHandlers } from './watch-handlers.ts';

function setUp() {
  const runtime = createManualRuntime();
  const sockets = createFakeSockets(runtime.now);
  const client = createConsoleClient({
    realtimeUrl: 'ws://realtime.example',
    apiUrl: 'http://api.example',
    getToken: () => 'token',
    createSocket: sockets.createSocket,
    fetch: createFakeApi().fetch,
    ...runtime,
  });
  const goLive = async () => {
    void client.connect();
    await runtime.settle();
    sockets.last.ready();
    await runtime.settle();
  };
  const reconnect = async () => {
    sockets.last.close(1006);
    await runtime.advance(5000);
    sockets.last.ready();
    await runtime.settle();
  };
  return { runtime, sockets, client, goLive, reconnect };
}

/** Handlers that write down what they are told. */
function listen(): { told: string[]; handlers: WatchHandlers } {
  const told: string[] = [];
  return {
    told,
    handlers: {
      onPosition: ({ seq }, { isJump }) => told.push(`at ${seq}${isJump ? ' jump' : ''}`),
      onEvent: ({ name }) => told.push(name),
      onMissed: () => told.push('missed'),
      onGone: (driverId) => told.push(`gone ${driverId}`),
      onSubscribed: () => told.push('subscribed'),
      onError: ({ code }) => told.push(`error ${code}`),
      onEnded: (reason) => told.push(`ended ${reason}`),
    },
  };
}

const at = (seq: number, fields: Partial<Position> = {}): Position => ({
  driverId: 'driver-1',
  tripId: 'trip-1',
  state: 'on_trip',
  run: 1000,
  seq,
  recordedAtMs: seq,
  lat: 41,
  lng: -8,
  ...fields,
});
const topic = 'trip:trip-1';
const started = { name: 'trip.started', tripId: 'trip-1', at: '2026-03-01T08:15:30.000Z', version: 2 } as const;

test('a watcher hears positions, events and the end of a position, until it closes', async (t) => {
  const { runtime, sockets, client, goLive } = setUp();
  const { told, handlers } = listen();
  const watch = client.watchTrip('trip-1', handlers);
  await goLive();
  t.match(sockets.last.sent, [{ type: 'sub', topic }]);

  sockets.last.say({ type: 'subscribed', id: 1, topic, epoch: 'e1', offset: 3 });
  sockets.last.say({ type: 'position', topic, position: at(1) });
  sockets.last.say({ type: 'position', topic, position: at(9), jump: true });
  sockets.last.say({ type: 'event', topic, epoch: 'e1', offset: 4, event: started });
  sockets.last.say({ type: 'gone', topic, driverId: 'driver-1' });
  t.same(told, ['subscribed', 'at 1', 'at 9 jump', 'trip.started', 'gone driver-1']);

  watch.close();
  watch.close();
  sockets.last.say({ type: 'position', topic, position: at(10) });
  await runtime.settle();
  t.equal(told.length, 5);
  t.match(sockets.last.sentOf('unsub'), [{ topic }]);
});

test('a position never goes back, also over a reconnect to a node that knows less', async (t) => {
  const { sockets, client, goLive, reconnect } = setUp();
  const { told, handlers } = listen();
  client.watchTrip('trip-1', handlers);
  await goLive();
  sockets.last.say({ type: 'position', topic, position: at(5) });

  await reconnect();
  sockets.last.say({ type: 'position', topic, position: at(4) });
  sockets.last.say({ type: 'position', topic, position: at(5, { state: 'available' }) });
  sockets.last.say({ type: 'position', topic, position: at(9, { run: 999 }) });
  sockets.last.say({ type: 'position', topic, position: at(1, { run: 1001 }) });

  t.same(told, ['at 5', 'at 5', 'at 1']);
});

test('events come once and in order; what was missed is asked for, and told before what came after', async (t) => {
  const { runtime, sockets, client, goLive, reconnect } = setUp();
  const { told, handlers } = listen();
  client.watchTrip('trip-1', handlers);
  await goLive();
  const event = (offset: number, epoch = 'e1') =>
    sockets.last.say({ type: 'event', topic, epoch, offset, event: started });
  sockets.last.say({ type: 'subscribed', id: 1, topic, epoch: 'e1', offset: 0 });
  event(1);
  event(1);
  event(2);
  t.same(told.splice(0), ['subscribed', 'trip.started', 'trip.started']);

  event(4);
  event(5);
  await runtime.settle();
  t.same(told.splice(0), [], 'nothing is told out of order');
  t.match(sockets.last.sentOf('sub').slice(1), [{ topic, epoch: 'e1', offset: 2 }], 'and asked for once');
  sockets.last.say({ type: 'subscribed', id: 2, topic, epoch: 'e1', offset: 4, recovered: true });
  for (const offset of [3, 4, 5]) event(offset);
  t.same(told.splice(0), ['subscribed', 'trip.started', 'trip.started', 'trip.started']);

  await reconnect();
  t.match(sockets.last.sentOf('sub'), [{ topic, epoch: 'e1', offset: 5 }]);
  sockets.last.say({ type: 'subscribed', id: 3, topic, epoch: 'e1', offset: 6, recovered: true });
  event(6);
  t.same(told.splice(0), ['subscribed', 'trip.started']);
});

test('what is gone for good is said, with what is now', async (t) => {
  const { sockets, client, goLive, reconnect } = setUp();
  const { told, handlers } = listen();
  const snapshots: unknown[] = [];
  client.watchTrip('trip-1', { ...handlers, onMissed: (snapshot) => snapshots.push(snapshot) });
  await goLive();
  sockets.last.say({ type: 'subscribed', id: 1, topic, epoch: 'e1', offset: 4 });
  await reconnect();
  const snapshot = { tripId: 'trip-1', version: 6, state: 'ended', driverId: 'driver-1' } as const;
  sockets.last.say({ type: 'subscribed', id: 2, topic, epoch: 'e2', offset: 6, recovered: false, snapshot });
  t.same(snapshots, [snapshot]);
  sockets.last.say({ type: 'event', topic, epoch: 'e2', offset: 7, event: started });
  t.same(told.splice(0), ['subscribed', 'subscribed', 'trip.started']);
  sockets.last.say({ type: 'subscribed', topic });
  t.equal(snapshots.length, 2, 'the log is gone, and whatever was in it');
  sockets.last.say({ type: 'subscribed', topic });
  t.equal(snapshots.length, 2, 'said once');
});

test('a beacon that knows more than we do makes us ask again; one that knows less does not', async (t) => {
  const { runtime, sockets, client, goLive } = setUp();
  const { handlers } = listen();
  client.watchTrip('trip-1', handlers);
  await goLive();
  sockets.last.say({ type: 'subscribed', id: 1, topic, epoch: 'e1', offset: 4 });
  sockets.last.say({ type: 'position', topic, position: at(5) });
  const asked = async () => {
    await runtime.settle();
    return sockets.last.sentOf('sub').length - 1;
  };

  sockets.last.say({ type: 'beacon', topic, run: 1000, seq: 5 });
  sockets.last.say({ type: 'beacon', topic, run: 999, seq: 9 });
  sockets.last.say({ type: 'beacon', topic, epoch: 'e1', offset: 4 });
  t.equal(await asked(), 0);
  sockets.last.say({ type: 'beacon', topic, run: 1000, seq: 6 });
  t.equal(await asked(), 1);
  sockets.last.say({ type: 'beacon', topic, run: 1000, seq: 6 });
  t.equal(await asked(), 1, 'not while the answer is awaited');
  sockets.last.say({ type: 'subscribed', id: 2, topic, epoch: 'e1', offset: 4, recovered: true });
  sockets.last.say({ type: 'position', topic, position: at(6) });
  sockets.last.say({ type: 'beacon', topic, epoch: 'e1', offset: 5 });
  t.equal(await asked(), 2);
});

test('a beacon tells of a state and of a trip that were missed without a new fix', async (t) => {
  const { runtime, sockets, client, goLive } = setUp();
  client.watchDriver('driver-1', listen().handlers);
  await goLive();
  const driver = { topic: 'driver:driver-1' };
  const beacon = { type: 'beacon', ...driver, run: 1000 } as const;
  sockets.last.say({ type: 'subscribed', id: 1, ...driver });
  sockets.last.say({ type: 'position', ...driver, position: at(5) });
  const asked = async () => {
    await runtime.settle();
    return sockets.last.sentOf('sub').length - 1;
  };

  sockets.last.say({ ...beacon, seq: 5, state: 'on_trip', tripId: 'trip-1' });
  sockets.last.say({ ...beacon, seq: 4, state: 'off' });
  sockets.last.say({ ...beacon, seq: 5 });
  t.equal(await asked(), 0, 'the same, an older fix, and an older server');
  sockets.last.say({ ...beacon, seq: 5, state: 'on_trip' });
  t.equal(await asked(), 1, 'the trip ended');
  const { tripId: _, ...off } = at(5, { state: 'off' });
  sockets.last.say({ type: 'subscribed', id: 2, ...driver });
  sockets.last.say({ type: 'position', ...driver, position: off });
  sockets.last.say({ ...beacon, seq: 5, state: 'off' });
  t.equal(await asked(), 1);
  sockets.last.say({ ...beacon, seq: 5, state: 'available' });
  t.equal(await asked(), 2, 'another state');
});

test('a beacon tells of a driver whose `gone` was missed, once', async (t) => {
  const { sockets, client, goLive } = setUp();
  const { told, handlers } = listen();
  client.watchTrip('trip-1', handlers);
  await goLive();
  sockets.last.say({ type: 'subscribed', id: 1, topic });
  sockets.last.say({ type: 'beacon', topic, gone: true });
  sockets.last.say({ type: 'position', topic, position: at(5) });

  sockets.last.say({ type: 'beacon', topic, gone: true });
  sockets.last.say({ type: 'beacon', topic, gone: true });

  t.same(told, ['subscribed', 'at 5', 'gone driver-1']);
});

test('alerts are acknowledged, also those that were heard before', async (t) => {
  const { runtime, sockets, client, goLive } = setUp();
  const { told, handlers } = listen();
  client.watchTrip('trip-1', handlers);
  await goLive();
  sockets.last.say({ type: 'subscribed', id: 1, topic, epoch: 'e1', offset: 0 });
  const alert = { type: 'event', topic, epoch: 'e1', event: started, mustAck: true } as const;
  sockets.last.say({ ...alert, offset: 1 });
  sockets.last.say({ ...alert, offset: 2 });
  await runtime.settle();
  t.match(sockets.last.sentOf('ack'), [{ topic, epoch: 'e1', offset: 2 }], 'one word for all of them');
  sockets.last.say({ ...alert, offset: 2 });
  await runtime.settle();
  t.equal(sockets.last.sentOf('ack').length, 2);
  t.same(told, ['subscribed', 'trip.started', 'trip.started']);
});

/** A desk that hears alerts, and what it was told and said. */
async function hearAlerts(handlers: WatchHandlers) {
  const parts = setUp();
  // What a handler throws surfaces there.
  const onUnhandled = () => undefined;
  process.on('unhandledRejection', onUnhandled);
  parts.client.watchAlerts(handlers);
  await parts.goLive();
  parts.sockets.last.say({ type: 'subscribed', id: 1, topic: 'admin:sos', epoch: 'e1', offset: 0 });
  return {
    ...parts,
    async say(...offsets: number[]) {
      for (const offset of offsets) {
        const event = { name: 'sos.drill', alertId: `alert-${offset}`, at: '2026-03-01T08:15:30.000Z' } as const;
        parts.sockets.last.say({ type: 'event', topic: 'admin:sos', epoch: 'e1', offset, event, mustAck: true });
        await parts.runtime.settle();
      }
    },
    acks: () => parts.sockets.last.sentOf('ack').map(({ offset }) => offset),
    leave: () => process.off('unhandledRejection', onUnhandled),
  };
}

test('an alert that no handler dealt with is not acknowledged, nor what came after it, and is told again', async (t) => {
  const told: string[] = [];
  let isBroken = false;
  const desk = await hearAlerts({
    onEvent(event) {
      const { alertId } = event as { alertId: string };
      told.push(alertId);
      if (isBroken) throw new Error('a bug of the app');
    },
  });
  t.teardown(desk.leave);
  await desk.say(1);
  t.same(desk.acks(), [1]);
  isBroken = true;
  await desk.say(2);
  isBroken = false;
  await desk.say(3);
  t.same(desk.acks(), [1], 'an acknowledgement covers everything before it');
  await desk.say(3);
  t.same(told, ['alert-1', 'alert-2', 'alert-3']);

  await desk.reconnect();
  t.match(desk.sockets.last.sentOf('sub'), [{ topic: 'admin:sos', epoch: 'e1', offset: 1 }], 'asked for again');
  desk.sockets.last.say({ type: 'subscribed', id: 2, topic: 'admin:sos', epoch: 'e1', offset: 3, recovered: true });
  await desk.say(2, 3);
  t.same(told, ['alert-1', 'alert-2', 'alert-3', 'alert-2']);
  t.same(desk.acks(), [3, 3]);
});

test('an alert that nobody listens to is not acknowledged until somebody does', async (t) => {
  const { told, handlers } = listen();
  const { onEvent: _, ...deaf } = handlers;
  const desk = await hearAlerts(deaf);
  t.teardown(desk.leave);
  await desk.say(1, 1);
  t.same(desk.acks(), []);

  desk.client.watchAlerts({ onEvent: ({ name }) => told.push(name) });
  await desk.say(1, 1);
  t.same(told, ['subscribed', 'sos.drill']);
  t.same(desk.acks(), [1, 1]);
});

test('one desk that deals with an alert is enough', async (t) => {
  const { told, handlers } = listen();
  const desk = await hearAlerts(handlers);
  t.teardown(desk.leave);
  desk.client.watchAlerts({
    onEvent() {
      throw new Error('a bug of the app');
    },
  });
  await desk.say(1);
  t.same(told, ['subscribed', 'sos.drill']);
  t.same(desk.acks(), [1]);
});

test('alerts may be watched through a filter, and no watch narrows another', async (t) => {
  const { client, sockets, runtime, goLive, reconnect } = setUp();
  const filter = { states: ['open'] };
  const told: string[] = [];
  client.watchAlerts({ onEvent: (_, { isGone }) => told.push(isGone ? 'gone' : 'fits') }, { filter });
  const asked = () => sockets.last.sentOf('sub').map((frame) => frame.filter);
  await goLive();
  t.same(asked(), [filter]);
  const happen = async (offset: number, gone?: true) => {
    const event = { name: 'sos.drill', alertId: 'a', at: '2026-03-01T08:15:30.000Z' } as const;
    const frame = { type: 'event', topic: 'admin:sos', epoch: 'e1', offset, after: 0, event, mustAck: true } as const;
    sockets.last.say({ ...frame, ...(gone && { gone }) });
    await runtime.settle();
  };
  sockets.last.say({ type: 'subscribed', id: 1, topic: 'admin:sos', epoch: 'e1', offset: 0 });
  await happen(3);
  await happen(5, true);
  t.same(told, ['fits', 'gone']);
  t.same(
    sockets.last.sentOf('ack').map(({ offset }) => offset),
    [3, 5],
  );

  const alike = client.watchAlerts({}, { filter: { states: ['open'] } });
  const all = client.watchAlerts({});
  await runtime.settle();
  t.same(asked(), [filter, undefined], 'everything, from where it was');
  t.match(sockets.last.sentOf('sub').at(-1), { epoch: 'e1', offset: 5 });
  alike.close();
  all.close();
  await runtime.settle();
  t.same(asked(), [filter, undefined, filter]);
  await reconnect();
  t.same(asked(), [filter]);
});

test('an alert is gone for those alone whose filter it was judged by', async (t) => {
  const { client, sockets, runtime, goLive } = setUp();
  const told: string[] = [];
  const watch = (name: string, filter?: TopicFilter) =>
    client.watchAlerts({ onEvent: (_, { isGone }) => told.push(isGone ? `${name} gone` : name) }, { filter });
  const asked = () => sockets.last.sentOf('sub').map((frame) => frame.filter);
  const answer = async (offset: number) => {
    await runtime.settle();
    const { id = 0 } = sockets.last.sentOf('sub').at(-1) ?? {};
    sockets.last.say({ type: 'subscribed', id, topic: 'admin:sos', epoch: 'e1', offset, recovered: true });
  };
  const happen = (offset: number, gone?: true) => {
    const event = { name: 'sos.drill', alertId: 'a', at: '2026-03-01T08:15:30.000Z' } as const;
    const frame = { type: 'event', topic: 'admin:sos', epoch: 'e1', offset, event, mustAck: true } as const;
    sockets.last.say({ ...frame, ...(gone && { gone }) });
    return told.splice(0);
  };
  const open = watch('open', { states: ['open', 'acknowledged'] });
  await goLive();
  await answer(0);
  t.same(happen(1, true), ['open gone']);

  const alike = watch('alike', { states: ['acknowledged', 'open'] });
  await runtime.settle();
  t.equal(asked().length, 1, 'the same in another order');
  t.same(happen(2, true), ['open gone', 'alike gone']);
  alike.close();

  const all = watch('all');
  t.same(happen(3, true), ['open gone', 'all'], 'on its way before there was no filter any more');
  await answer(3);
  t.same(happen(4), ['open', 'all']);
  t.same(happen(4, true), [], 'said again');
  all.close();
  await answer(4);
  t.same(happen(5, true), ['open gone']);

  const near = watch('near', { bbox: { south: 41.1, west: -8.7, north: 41.2, east: -8.5 } });
  open.close();
  t.same(happen(6, true), ['near'], 'not its filter');
  await answer(6);
  t.same(happen(7, true), ['near gone']);
  near.close();

  watch('late');
  t.same(happen(8, true), ['late'], 'of a subscription that is over');
});

test('alerts that the server has no more of are missed, whether it says so or there are too many', async (t) => {
  let missed = 0;
  const desk = await hearAlerts({ onMissed: () => (missed += 1) });
  t.teardown(desk.leave);
  await desk.say(...Array.from({ length: 300 }, (_, index) => index + 1));
  t.equal(missed, 0);
  await desk.say(301);
  t.equal(missed, 1);
  desk.sockets.last.say({ type: 'subscribed', topic: 'admin:sos', epoch: 'e1', offset: 301, recovered: false });
  t.equal(missed, 2);
  t.same(desk.acks(), []);
});

test('cars around are of one place: another place moves the watch, and the place before is left first', async (t) => {
  const { runtime, sockets, client, goLive, reconnect } = setUp();
  const told: string[] = [];
  const listenAt = (place: string) => ({
    onDrivers: (drivers: object[]) => void told.push(`${place} ${drivers.length}`),
    onEnded: (reason: string) => void told.push(`${place} ended ${reason}`),
  });
  const asked = () => sockets.last.sent.flatMap((frame) => ('topic' in frame ? [`${frame.type} ${frame.topic}`] : []));
  const say = async (topic: string) => {
    sockets.last.say({ type: 'nearby', topic, asOfMs: 1, drivers: [] });
    await runtime.settle();
  };
  const home = client.watchNearby('nearby:home', listenAt('home'));
  client.watchNearby('nearby:home', listenAt('home too'));
  client.watchTrip('trip-1', {});
  await goLive();
  sockets.last.say({ type: 'subscribed', id: 1, topic: 'nearby:home' });

  client.watchNearby('nearby:work', listenAt('work'));
  await runtime.settle();
  t.same(asked(), ['sub nearby:home', 'sub trip:trip-1', 'unsub nearby:home', 'sub nearby:work']);
  await say('nearby:home');
  await say('nearby:work');
  t.same(told, ['work 0'], 'nothing more of the place before');

  home.close();
  await reconnect();
  t.same(asked(), ['sub trip:trip-1', 'sub nearby:work']);
});

test('two watchers share a subscription; the later one hears the position at once', async (t) => {
  const { runtime, sockets, client, goLive } = setUp();
  const first = listen();
  const second = listen();
  const firstWatch = client.watchTrip('trip-1', first.handlers);
  await goLive();
  sockets.last.say({ type: 'position', topic, position: at(1) });

  const secondWatch = client.watchTrip('trip-1', second.handlers);
  await runtime.settle();
  t.same(second.told, ['at 1']);
  firstWatch.close();
  sockets.last.say({ type: 'position', topic, position: at(2) });
  await runtime.settle();
  t.same(first.told, ['at 1']);
  t.same(second.told, ['at 1', 'at 2']);
  t.equal(sockets.last.sentOf('sub').length, 1);
  t.equal(sockets.last.sentOf('unsub').length, 0);

  secondWatch.close();
  await runtime.settle();
  t.equal(sockets.last.sentOf('unsub').length, 1);
});

test('a refused watch and one that is no longer allowed end for good, a temporary failure does not', async (t) => {
  const { sockets, client, goLive, reconnect } = setUp();
  const alien = listen();
  const busy = listen();
  const ended = listen();
  client.watchTrip('alien', alien.handlers);
  client.watchTrip('busy', busy.handlers);
  client.watchDriver('driver-1', ended.handlers);
  await goLive();

  const error = { type: 'error', message: '' } as const;
  sockets.last.say({ ...error, topic: 'trip:alien', code: 'not_found', retryable: false });
  sockets.last.say({ ...error, topic: 'trip:busy', code: 'access_unavailable', retryable: true });
  sockets.last.say({ type: 'subscribed', topic: 'driver:driver-1' });
  sockets.last.say({ type: 'unsubscribed', topic: 'driver:driver-1', reason: 'forbidden' });
  t.same(alien.told, ['error not_found', 'ended not_found']);
  t.same(busy.told, ['error access_unavailable']);
  t.same(ended.told, ['subscribed', 'ended forbidden']);

  await reconnect();
  t.match(sockets.last.sent, [{ type: 'sub', topic: 'trip:busy' }]);
});

const mapFrame: MapFrame = { type: 'map', topic: 'admin:map', asOfMs: 7, vehicles: [], gone: [] };

/** Handlers of the map that write down which ids they are told. */
function listenToMap() {
  const parts: unknown[][] = [];
  const handlers: MapHandlers = {
    onSubscribed: () => parts.push(['subscribed']),
    onVehicles: (changed, gone, info) => parts.push(['vehicles', changed.map(({ driverId }) => driverId), gone, info]),
    onClusters: (changed, gone, info) => parts.push(['clusters', changed.map(({ id }) => id), gone, info]),
  };
  return { parts, handlers };
}

test('the map comes in parts, whole again after a reconnect and for whoever joins later', async (t) => {
  const { runtime, sockets, client, goLive, reconnect } = setUp();
  const { parts, handlers } = listenToMap();
  client.watchMap(handlers);
  await goLive();
  t.strictSame(sockets.last.sent, [{ type: 'sub', id: sockets.last.sentOf('sub')[0]?.id, topic: 'admin:map' }]);

  sockets.last.say({ type: 'subscribed', topic: 'admin:map' });
  sockets.last.say({ ...mapFrame, snapshot: true, complete: true, vehicles: [at(1)] });
  sockets.last.say({ ...mapFrame, gone: ['driver-1'] });
  t.same(parts, [
    ['subscribed'],
    ['vehicles', ['driver-1'], [], { snapshot: true, complete: true, asOfMs: 7 }],
    ['vehicles', [], ['driver-1'], { snapshot: false, complete: false, asOfMs: 7 }],
  ]);

  client.watchMap(handlers);
  await runtime.settle();
  t.match(sockets.last.sent, [{ type: 'sub' }, { type: 'sub' }], 'asked for the whole map again');
  await reconnect();
  t.equal(sockets.last.sentOf('sub').length, 1);
});

test('a filter of the map can change, and survives a reconnect and whoever joins later', async (t) => {
  const { runtime, sockets, client, goLive, reconnect } = setUp();
  const filters = () => sockets.last.sentOf('sub').map(({ filter }) => filter);
  const { handlers } = listenToMap();
  const watch = client.watchMap(handlers, { filter: { states: ['on_trip'] } });
  await goLive();
  t.strictSame(filters(), [{ states: ['on_trip'] }]);

  watch.setFilter({ text: 'taxi' });
  await runtime.settle();
  client.watchMap(handlers);
  await runtime.settle();
  t.strictSame(filters().slice(1), [{ text: 'taxi' }, { text: 'taxi' }], 'also before the first was answered');

  await reconnect();
  t.strictSame(filters(), [{ text: 'taxi' }]);
  watch.setFilter(undefined);
  await runtime.settle();
  t.strictSame(filters(), [{ text: 'taxi' }, undefined]);
  watch.close();
  watch.setFilter({});
  await runtime.settle();
  t.equal(filters().length, 2, 'a closed watch has no say');
});

test('what belongs to an earlier filter is not told, and clusters are told apart from vehicles', async (t) => {
  const { runtime, sockets, client, goLive } = setUp();
  const { parts, handlers } = listenToMap();
  const watch = client.watchMap(handlers, { filter: {} });
  await goLive();
  watch.setFilter({ text: 'taxi' });
  await runtime.settle();
  const [first, second] = sockets.last.sentOf('sub');
  const cluster = { id: '4-1-1', lat: 1, lng: 1, count: 3, states: { off: 3 } };

  sockets.last.say({ type: 'subscribed', topic: 'admin:map', ...(first?.id !== undefined && { id: first.id }) });
  sockets.last.say({ ...mapFrame, snapshot: true, complete: true, vehicles: [at(1)] });
  t.same(parts, []);

  sockets.last.say({ type: 'subscribed', topic: 'admin:map', ...(second?.id !== undefined && { id: second.id }) });
  sockets.last.say({ ...mapFrame, snapshot: true, complete: true, clusters: [cluster] });
  t.same(parts, [['subscribed'], ['clusters', ['4-1-1'], [], { snapshot: true, complete: true, asOfMs: 7 }]]);
});

test('clients tell whether live data is there, and a failing handler harms no other', async (t) => {
  const { sockets, client, goLive } = setUp();
  const status: boolean[] = [];
  const off = client.on('status', (isLive) => status.push(isLive));
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  t.teardown(() => process.off('unhandledRejection', onUnhandled));
  const { told, handlers } = listen();
  client.watchTrip('trip-1', {
    onPosition() {
      throw new Error('a bug of the app');
    },
  });
  client.watchTrip('trip-1', handlers);
  await goLive();

  sockets.last.say({ type: 'status', live: false });
  sockets.last.say({ type: 'position', topic, position: at(1) });
  off();
  sockets.last.say({ type: 'status', live: true });
  await new Promise(setImmediate);

  t.same(status, [false]);
  t.same(told, ['at 1']);
  t.match(unhandled, [{ message: 'a bug of the app' }], 'its own error surfaces');
});
