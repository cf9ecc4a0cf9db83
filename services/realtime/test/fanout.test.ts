import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { MapFrame } from '@hushryd/contracts/realtime/server-frames';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { nearbyTopic } from '@hushryd/contracts/realtime/topics';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createDriverStates } from '@hushryd/tracking/driver-state/driver-states';
import { cellAround } from '@hushryd/tracking/nearby/nearby-cell';
import t from 'tap';
import { raiseDurableKeys } from './raise-durable.ts';
import { fix, startTestRealtime, type TestRealtime, type TestSocket, trip } from './start-realtime.ts';

/** Send one fix and wait until it is in Redis. */
async function drive(phone: { socket: TestSocket; run: number }, seq: number, tripId?: string): Promise<void> {
  phone.socket.send({ type: 'loc', id: seq, run: phone.run, from: 1, ...(tripId && { tripId }), fixes: [fix(seq)] });
  await phone.socket.next('recv', ({ id }) => id === seq);
}

/** Everything sent to the socket before this has arrived when it resolves. */
async function settled(socket: TestSocket): Promise<void> {
  socket.send({ type: 'ping', id: 4711 });
  await socket.next('pong', ({ id }) => id === 4711);
}

const seqs = (socket: TestSocket) => socket.all('position').map(({ position }) => position.seq);

const subscribe = async (socket: TestSocket, topic: string) => {
  socket.send({ type: 'sub', id: 1, topic });
  return socket.next('subscribed', (frame) => frame.topic === topic);
};

t.test('a subscriber gets the newest position, then everything newer, in order', async (t) => {
  const node = await startTestRealtime(t, { env: { MAX_SOCKETS_PER_USER: '50', MAX_FRAMES_PER_SECOND: '1000' } });
  await node.putTrip(trip('trip-1'), 'trip.started');
  const phone = await node.connectDriver('driver-1');
  for (let seq = 1; seq <= 3; seq += 1) await drive(phone, seq, 'trip-1');

  const rider = await node.connect('rider-1', 'rider');
  const { epoch, offset } = await subscribe(rider, 'trip:trip-1');
  t.match({ epoch, offset }, { epoch: String, offset: 1 });
  for (let seq = 4; seq <= 6; seq += 1) await drive(phone, seq, 'trip-1');
  await rider.next('position', ({ position }) => position.seq === 6);

  t.same(seqs(rider), [3, 4, 5, 6]);
  t.match(rider.all('position')[0], {
    topic: 'trip:trip-1',
    position: { driverId: 'driver-1', tripId: 'trip-1', state: 'on_trip', run: phone.run },
  });

  await t.test('while many subscribe and the driver drives, nobody misses or repeats a position', async (t) => {
    const crowd = await Promise.all(Array.from({ length: 20 }, () => node.connect('operator-1', 'operator')));
    const drives = (async () => {
      for (let seq = 7; seq <= 60; seq += 1) await drive(phone, seq, 'trip-1');
    })();
    for (const socket of crowd) await subscribe(socket, 'trip:trip-1');
    await drives;

    for (const socket of crowd) {
      await socket.next('position', ({ position }) => position.seq === 60);
      const got = seqs(socket);
      const first = got[0] as number;
      t.same(
        got,
        Array.from({ length: 61 - first }, (_, index) => first + index),
      );
    }
  });

  await t.test('after unsub nothing of the topic follows', async (t) => {
    rider.send({ type: 'unsub', id: 2, topic: 'trip:trip-1' });
    await rider.next('unsubscribed');
    const before = rider.frames.length;
    await drive(phone, 61, 'trip-1');
    await settled(rider);
    t.equal(rider.frames.length, before + 1, 'the pong alone');
  });

  await t.test('subscribing again begins anew, with a snapshot', async (t) => {
    await subscribe(rider, 'trip:trip-1');
    t.match(await rider.next('position', ({ position }) => position.seq === 61), { topic: 'trip:trip-1' });
    await subscribe(rider, 'trip:trip-1');
    await settled(rider);
    t.equal(seqs(rider).filter((seq) => seq === 61).length, 2);
    await drive(phone, 62, 'trip-1');
    await rider.next('position', ({ position }) => position.seq === 62);
    await settled(rider);
    t.equal(seqs(rider).filter((seq) => seq === 62).length, 1, 'it did not join twice');
  });
});

t.test('riders who watched a trip before it began see its first fix', async (t) => {
  const node = await startTestRealtime(t);
  const { startedAtMs: _, ...planned } = trip('trip-1', { state: 'planned' });
  await node.putTrip(planned);
  const rider = await node.connect('rider-1', 'rider');
  await subscribe(rider, 'trip:trip-1');
  const phone = await node.connectDriver('driver-1');
  await drive(phone, 1, 'trip-1');

  await node.putTrip(trip('trip-1', { version: 2 }), 'trip.started');
  await drive(phone, 2, 'trip-1');
  const { position } = await rider.next('position');
  t.match(position, { seq: 2, tripId: 'trip-1' });
});

t.test('a trip’s room shows only what counts for that trip, to those who may see it', async (t) => {
  const node = await startTestRealtime(t);
  await node.putTrip(trip('trip-1', { passengerIds: ['rider-1'] }), 'trip.started');
  await node.putTrip(trip('trip-2', { passengerIds: ['rider-2'] }), 'trip.started');
  const phone = await node.connectDriver('driver-1');
  const first = await node.connect('rider-1', 'rider');
  const second = await node.connect('rider-2', 'rider');
  const staff = await node.connect('operator-1', 'operator');
  await subscribe(first, 'trip:trip-1');
  await subscribe(second, 'trip:trip-2');
  await subscribe(staff, 'driver:driver-1');

  await drive(phone, 1, 'trip-1');
  await drive(phone, 2, 'trip-2');
  await drive(phone, 3);
  await drive(phone, 4, 'trip-1');
  await staff.next('position', ({ position }) => position.seq === 4);
  await settled(first);
  await settled(second);

  t.same(seqs(first), [1, 4]);
  t.same(seqs(second), [2]);
  t.same(seqs(staff), [1, 2, 3, 4]);
  first.send({ type: 'sub', topic: 'trip:trip-2' });
  t.match(await first.next('error'), { code: 'not_found' });
  second.send({ type: 'sub', topic: 'trip:trip-2' });
  await settled(second);
  t.same(seqs(second), [2], 'no snapshot of another trip');

  await t.test('fixes from before the start count for the driver alone', async (t) => {
    const startedAtMs = Date.now() - 1000;
    await node.putTrip(trip('trip-3', { startedAtMs }), 'trip.started');
    const fixes = [fix(5, { recordedAtMs: startedAtMs - 40_000 }), fix(6, { recordedAtMs: startedAtMs + 1 })];
    phone.socket.send({ type: 'loc', id: 6, run: phone.run, from: 1, tripId: 'trip-3', fixes });
    await phone.socket.next('recv', ({ id }) => id === 6);
    await node.putTrip(trip('trip-3', { startedAtMs, version: 2 }));
    await subscribe(first, 'trip:trip-3');
    t.match(await first.next('position', ({ topic }) => topic === 'trip:trip-3'), { position: { seq: 6 } });
  });
});

t.test('a newer run moves the position, and the older phone hears of it', async (t) => {
  const node = await startTestRealtime(t);
  const staff = await node.connect('operator-1', 'operator');
  await subscribe(staff, 'driver:driver-1');
  const older = await node.connectDriver('driver-1');
  await drive(older, 1);
  const newer = await node.connectDriver('driver-1');
  t.ok(newer.run > older.run);

  await drive(older, 2);
  await drive(newer, 1);
  await drive(older, 3);

  t.match(await older.socket.next('superseded'), { run: older.run, byRun: newer.run, offeredRun: undefined });
  await drive(newer, 2);
  await staff.next('position', ({ position }) => position.run === newer.run && position.seq === 2);
  t.same(
    staff.all('position').map(({ position: { run, seq } }) => [run, seq]),
    [
      [older.run, 1],
      [older.run, 2],
      [newer.run, 1],
      [newer.run, 2],
    ],
  );
  t.same((await node.stored()).fixes.length, 5, 'fixes of the older run are history all the same');
  t.equal(older.socket.all('superseded').length, 1);
});

t.test('duplicated and reordered frames leave positions as they are', async (t) => {
  const node = await startTestRealtime(t);
  const staff = await node.connect('operator-1', 'operator');
  await subscribe(staff, 'driver:driver-1');
  const phone = await node.connectDriver('driver-1');
  const fixes = Array.from({ length: 6 }, (_, index) => fix(index + 1));
  const send = (id: number, from: number, to: number) =>
    phone.socket.send({ type: 'loc', id, run: phone.run, from: 1, fixes: fixes.slice(from - 1, to) });

  send(1, 1, 2);
  send(2, 5, 6);
  send(3, 3, 4);
  send(4, 1, 6);
  await phone.socket.next('recv', ({ id }) => id === 4);
  await settled(staff);

  t.same(
    phone.socket.all('recv').map(({ id }) => id),
    [1, 2, 3, 4],
    'answered in order',
  );
  const shown = seqs(staff);
  t.same(
    shown,
    [...shown].sort((a, b) => a - b),
  );
  t.equal(shown.at(-1), 6);
});

t.test('who may watch is decided anew when the trip changes', async (t) => {
  const node = await startTestRealtime(t);
  const passengerIds = ['rider-1', 'rider-2', 'rider-3'];
  const put = (changes: Partial<TripAccess>, event: Parameters<TestRealtime['putTrip']>[1]) =>
    node.putTrip(trip('trip-1', { passengerIds, ...changes }), event);
  await put({}, 'trip.started');
  const phone = await node.connectDriver('driver-1');
  const [leaver, stayer] = [await node.connect('rider-1', 'rider'), await node.connect('rider-2', 'rider')];
  const staff = await node.connect('operator-1', 'operator');
  for (const socket of [leaver, stayer, staff, phone.socket]) await subscribe(socket, 'trip:trip-1');
  await drive(phone, 1, 'trip-1');
  await leaver.next('position');

  await put({ version: 2, passengerIds: ['rider-2', 'rider-3'] }, 'trip.passengers_changed');
  t.match(await leaver.next('unsubscribed'), { topic: 'trip:trip-1', reason: 'forbidden' });
  const before = leaver.frames.length;
  await drive(phone, 2, 'trip-1');
  await stayer.next('position', ({ position }) => position.seq === 2);
  await settled(leaver);
  t.equal(leaver.frames.length, before + 1, 'the pong alone');
  leaver.send({ type: 'sub', topic: 'trip:trip-1' });
  t.match(await leaver.next('error'), { code: 'not_found' });

  await put({ version: 3, passengerIds: ['rider-2', 'rider-3'], state: 'ended', endedAtMs: Date.now() }, 'trip.ended');
  for (const socket of [stayer, phone.socket]) {
    t.match(await socket.next('unsubscribed'), { topic: 'trip:trip-1', reason: 'forbidden' });
    const [event, farewell] = socket.frames.filter(({ type }) => type === 'event' || type === 'unsubscribed').slice(-2);
    t.match([event, farewell], [{ event: { name: 'trip.ended' }, offset: 3 }, { type: 'unsubscribed' }]);
  }
  t.match(await staff.next('event', ({ offset }) => offset === 3), { event: { name: 'trip.ended' } });
  await drive(phone, 3, 'trip-1');
  for (const socket of [staff, stayer]) {
    await settled(socket);
    t.same(seqs(socket), [1, 2], 'where the driver goes after the end is nobody’s business');
  }
  const late = await node.connect('rider-3', 'rider');
  late.send({ type: 'sub', topic: 'trip:trip-1' });
  t.match(await late.next('error'), { code: 'not_found' });
});

t.test('events come in order, and what the feed lost is read again', async (t) => {
  const node = await startTestRealtime(t);
  await node.putTrip(trip('trip-1'), 'trip.created');
  const staff = await node.connect('operator-1', 'operator');
  const { offset, epoch } = await subscribe(staff, 'trip:trip-1');
  t.equal(offset, 1);

  await node.putTrip(trip('trip-1', { version: 2 }), 'trip.started');
  t.match(await staff.next('event'), { offset: 2, epoch, event: { name: 'trip.started', version: 2 } });

  // In the log, but nobody hears of it: as if the feed's connection had been away for a moment.
  await node.putTripUnheard(trip('trip-1', { version: 3 }), 'trip.passengers_changed');
  t.match(await staff.next('event'), { offset: 3, epoch, event: { version: 3 } }, 'missed by its record');

  await node.putTripUnheard(trip('trip-1', { version: 4 }), 'trip.passengers_changed');
  await node.putTrip(trip('trip-1', { version: 5 }), 'trip.passengers_changed');
  t.match(await staff.next('event'), { offset: 4 }, 'missed by the next one');
  t.match(await staff.next('event'), { offset: 5 });

  const rider = await node.connect('rider-1', 'rider');
  await subscribe(rider, 'trip:trip-1');
  await node.putTripUnheard(trip('trip-1', { version: 6, state: 'ended', endedAtMs: Date.now() }), 'trip.ended');
  await rider.next('unsubscribed');
  t.match(
    rider.frames.slice(-2),
    [{ type: 'event', offset: 6 }, { type: 'unsubscribed' }],
    'first the end, then the farewell',
  );
  t.match(await staff.next('event'), { offset: 6 });

  await node.redis.commands.del(node.keys.topicHead('trip:trip-1'));
  await node.putTrip(trip('trip-1', { version: 7 }), 'trip.passengers_changed');
  const anew = await staff.next('subscribed');
  t.match(anew, { topic: 'trip:trip-1', offset: 1 }, 'what cannot be recovered is said');
  t.not(anew.epoch, epoch);
  await settled(staff);
  t.same(
    staff.all('event').map((event) => event.offset),
    [2, 3, 4, 5, 6],
  );
});

t.test('a change of availability is shown without a new fix', async (t) => {
  const node = await startTestRealtime(t);
  const phone = await node.connectDriver('driver-1');
  await subscribe(phone.socket, 'driver:driver-1');
  await drive(phone, 1);
  t.match(await phone.socket.next('position'), { position: { seq: 1, state: 'off' } });

  const states = createDriverStates({ redis: node.redis.commands, keys: node.keys });
  await states.set({ driverId: 'driver-1', available: true, version: 1 });

  t.match(await phone.socket.next('position'), { position: { seq: 1, state: 'available' } });
});

t.test('operators get the whole map, then what changed, in frames of at most 200', async (t) => {
  const node = await startTestRealtime(t, { env: { MAX_SOCKETS_PER_USER: '1000', MAX_FRAMES_PER_SECOND: '1000' } });
  const phones = await Promise.all(Array.from({ length: 260 }, (_, driver) => node.connectDriver(`driver-${driver}`)));
  await Promise.all(phones.map((phone) => drive(phone, 1)));

  const staff = await node.connect('operator-1', 'operator');
  await subscribe(staff, 'admin:map');
  await staff.next('map', ({ complete }) => complete === true);
  const snapshot = staff.all('map');
  const shown = snapshot.flatMap(({ vehicles }) => vehicles.map(({ driverId }) => driverId));
  t.equal(new Set(shown).size, 260);
  t.equal(shown.length, 260);
  t.ok(snapshot.every(({ vehicles, snapshot }) => vehicles.length <= 200 && snapshot));

  for (let seq = 2; seq <= 4; seq += 1) await drive(phones[7] as (typeof phones)[0], seq);
  const changed = await staff.next(
    'map',
    ({ snapshot, vehicles }) => !snapshot && vehicles.some(({ seq }) => seq === 4),
  );
  t.match(changed, { vehicles: [{ driverId: 'driver-7', seq: 4 }] });
  t.equal(changed.vehicles.length, 1, 'only what changed');
  t.equal(await node.metric('realtime_map_watchers'), 1);
  staff.ws.close();
  await waitFor(async () => (await node.metric('realtime_map_watchers')) === 0, { withinMs: 5000, what: 'no watcher' });
});

t.test('a rider sees the available drivers around, under passing ids, and not what operators see', async (t) => {
  const node = await startTestRealtime(t);
  const states = createDriverStates({ redis: node.redis.commands, keys: node.keys });
  for (const driverId of ['driver-1', 'driver-2']) await drive(await node.connectDriver(driverId), 1);
  await states.set({ driverId: 'driver-1', available: true, version: 1 });

  const rider = await node.connect('rider-1', 'rider');
  const topic = nearbyTopic(cellAround({ lat: 41.15, lng: -8.61 }));
  await subscribe(rider, topic);
  const [car, ...others] = (await rider.next('nearby', ({ drivers }) => drivers.length > 0)).drivers;
  t.same(others, [], 'who is off is not shown');
  t.match(car, { lat: 41.15, lng: -8.61, driverId: /^[\w-]{22}$/ });
  t.notMatch(JSON.stringify(rider.all('nearby')), /driver-\d/);

  await states.set({ driverId: 'driver-2', available: true, version: 1 });
  await rider.next('nearby', ({ drivers }) => drivers.length === 2);
  await states.set({ driverId: 'driver-1', available: false, version: 2 });
  await rider.next('nearby', ({ drivers }) => drivers.length === 1 && drivers[0]?.driverId !== car?.driverId);
  t.equal(await node.metric('realtime_nearby_watchers'), 1);

  const phone = await node.connect('driver-3', 'driver');
  phone.send({ type: 'sub', id: 7, topic });
  t.match(await phone.next('error'), { id: 7, code: 'forbidden' });
});

t.test('operators who filter get what fits, in rounds, and who leaves the filter', async (t) => {
  const node = await startTestRealtime(t, { env: { MAX_SOCKETS_PER_USER: '100', MAX_FRAMES_PER_SECOND: '1000' } });
  const phones = await Promise.all(Array.from({ length: 12 }, (_, driver) => node.connectDriver(`driver-${driver}`)));
  const startMs = Date.now() - 10_000;
  const put = async (driver: number, seq: number, lng: number) => {
    const { socket, run } = phones[driver] as (typeof phones)[0];
    const recordedAtMs = startMs + seq * 5000;
    socket.send({ type: 'loc', id: seq, run, from: 1, fixes: [{ seq, recordedAtMs, lat: 41, lng }] });
    await socket.next('recv', ({ id }) => id === seq);
  };
  await Promise.all(phones.map((_, driver) => put(driver, 1, driver < 8 ? -8.4999 : -8.5001)));
  const states = createDriverStates({ redis: node.redis.commands, keys: node.keys });
  const staff = await node.connect('operator-1', 'operator');
  const bbox = { south: 40, west: -8.5, north: 42, east: -7.5 };
  const filterBy = async (id: number, filter: TopicFilter) => {
    staff.send({ type: 'sub', id, topic: 'admin:map', filter });
    await staff.next('subscribed', (frame) => frame.id === id);
    return staff.next('map', ({ complete }) => complete === true);
  };
  const namesOf = (frame: MapFrame) => frame.vehicles.map(({ driverId }) => driverId).sort();
  const nextWith = (driverId: string) =>
    staff.next('map', (frame) => namesOf(frame).includes(driverId) || frame.gone.includes(driverId));

  t.equal(namesOf(await filterBy(2, { bbox })).length, 8);
  await Promise.all([put(11, 2, -8.4999), put(3, 2, -8.5001)]);
  t.match(await nextWith('driver-11'), { vehicles: [{ driverId: 'driver-11', seq: 2 }] });
  t.ok(staff.all('map').some(({ gone }) => gone.includes('driver-3')));

  await states.set({ driverId: 'driver-5', available: true, version: 1 });
  t.match(await nextWith('driver-5'), { vehicles: [{ driverId: 'driver-5', state: 'available' }] });
  t.strictSame(namesOf(await filterBy(3, { bbox, states: ['available'] })), ['driver-5']);
  await states.set({ driverId: 'driver-5', available: false, version: 2 });
  t.match(await nextWith('driver-5'), { vehicles: [], gone: ['driver-5'] });

  t.equal(namesOf(await filterBy(4, { text: 'DRIVER-1' })).length, 3, 'driver-1, 10 and 11');
  staff.send({ type: 'sub', id: 5, topic: 'admin:map', filter: { bbox: { ...bbox, north: 91 } } });
  t.match(await staff.next('error', ({ id }) => id === 5), { code: 'frame_invalid' });
});

t.test('phones hear what is durable and what to send again', async (t) => {
  const node = await startTestRealtime(t);
  const phone = await node.connectDriver('driver-1');
  for (let seq = 1; seq <= 3; seq += 1) await drive(phone, seq);
  const feed = await raiseDurableKeys(node);

  await feed.publish({
    durable: [['driver-1', phone.run, 2]],
    resend: [['driver-1', phone.run, 3]],
    pace: { cadenceMs: 5000, thinMs: 5000 },
  });
  t.match(await phone.socket.next('durable'), { run: phone.run, seq: 2 });
  t.match(await phone.socket.next('resend'), { run: phone.run, from: 3 });
  await drive(phone, 4);
  t.equal(phone.socket.all('recv').at(-1)?.cadenceMs, 5000);
  await drive(phone, 5);
  t.equal(phone.socket.all('recv').at(-1)?.cadenceMs, undefined, 'said once');

  // The message is lost, but Redis knows.
  await feed.store('driver-1', phone.run, 5);
  t.match(await phone.socket.next('durable'), { run: phone.run, seq: 5 });
});
