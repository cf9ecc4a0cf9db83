import { once } from 'node:events';
import type { Position } from '@hushryd/contracts/fix';
import type { NearbyDriver } from '@hushryd/contracts/http/drivers';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import type { ConnectionOptions } from '@hushryd/sdk/connection/connection-options';
import { createConsoleClient } from '@hushryd/sdk/console-client';
import { createDriverClient } from '@hushryd/sdk/driver-client';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import t, { type Test } from 'tap';
import { WebSocket } from 'undici';
import { startSystem } from './system.ts';

// Both kinds of client against the real services: a plain websocket that follows docs/realtime-protocol.md frame by frame, so that the
// page says what the servers do, and the SDK over tickets, as in a browser.

const system = await startSystem(t);
const tripId = 'trip-by-hand';
const place = { lat: 41.1496, lng: -8.611 };

t.test('the documented session runs as documented', async (t) => {
  const dora = system.http('dora', 'driver');
  const trip = { tripId, driverId: 'dora', passengerIds: ['rita'], origin: place, destination: place };
  await dora.createTrip(trip);
  await dora.startTrip(tripId);

  const rider = await open(t, system.token('rita', 'rider'));
  t.match(await rider.next('ready'), { connectionId: String, serverTimeMs: Number, expiresAtMs: Number });
  const topic = `trip:${tripId}`;
  rider.send({ type: 'sub', id: 1, topic });
  const subscribed = await rider.next('subscribed');
  t.match(subscribed, { id: 1, topic, epoch: String, offset: Number });

  const driver = await open(t, system.token('dora', 'driver'));
  await driver.next('ready');
  driver.send({ type: 'hello', id: 1 });
  const { run, ...welcome } = await driver.next('welcome');
  t.match(welcome, { id: 1, durableSeq: 0, position: null });

  const fix = { seq: 1, recordedAtMs: Date.now(), ...place, speedMps: 8.4, headingDegrees: 301 };
  const loc = { type: 'loc', id: 2, run, from: 1, tripId, fixes: [fix] };
  driver.send(loc);
  t.strictSame(await driver.next('recv'), { type: 'recv', id: 2, run, seq: 1 });
  t.strictSame(await driver.next('durable'), { type: 'durable', run, seq: 1 });
  const { position } = await rider.next('position');
  t.match(position, { driverId: 'dora', tripId, state: 'on_trip', run, seq: 1, speedMps: 8.4, headingDegrees: 301 });
  t.ok(Math.abs(position.lat - place.lat) < 1e-6 && Math.abs(position.lng - place.lng) < 1e-6);

  driver.send(loc);
  t.strictSame(await driver.next('recv'), { type: 'recv', id: 2, run, seq: 1 }, 'again, and nothing else');
  driver.send({ ...loc, id: 3, fixes: [{ ...fix, seq: 2, lat: 91 }] });
  t.match(await driver.next('recv'), { id: 3, seq: 2, drops: [{ seq: 2, reason: 'out_of_range' }] });
  t.match(await driver.next('durable'), { seq: 2 }, 'a dropped fix is closed');

  await dora.endTrip(tripId);
  t.match(await rider.next('event'), {
    topic,
    epoch: subscribed.epoch,
    offset: (subscribed.offset ?? 0) + 1,
    event: { name: 'trip.ended', tripId, version: 3 },
  });
  t.match(await rider.next('unsubscribed'), { topic, reason: 'forbidden' });
  t.strictSame(rider.unread(), [], 'nothing came that the page does not tell of');
});

t.test('errors and answers of the tables', async (t) => {
  const rider = await open(t, system.token('robin', 'rider'));
  await rider.next('ready');

  rider.send({ type: 'sub', id: 1, topic: `trip:${tripId}` });
  t.match(await rider.next('error'), { id: 1, topic: `trip:${tripId}`, code: 'not_found', retryable: false });
  rider.send({ type: 'sub', id: 2, topic: 'admin:map' });
  t.match(await rider.next('error'), { id: 2, code: 'forbidden' });
  rider.send({ type: 'hello', id: 3 });
  t.match(await rider.next('error'), { id: 3, code: 'forbidden' });
  rider.send({ type: 'ping', id: 4 });
  t.match(await rider.next('pong'), { id: 4, serverTimeMs: Number });
  rider.send({ type: 'refresh', id: 5, token: system.token('robin', 'rider') });
  t.match(await rider.next('refreshed'), { id: 5, expiresAtMs: Number });
  rider.send({ type: 'refresh', id: 6, token: system.token('someone', 'rider') });
  t.match(await rider.next('error'), { id: 6, code: 'forbidden' });
  rider.send({ type: 'unsub', id: 7, topic: 'trip:any' });
  t.match(await rider.next('unsubscribed'), { id: 7, topic: 'trip:any' });
  rider.send({ type: 'dance', id: 8 });
  t.match(await rider.next('error'), { id: 8, code: 'frame_unknown' });

  const driver = await open(t, system.token('dora', 'driver'));
  await driver.next('ready');
  driver.send({ type: 'loc', id: 1, run: 1, from: 1, fixes: [{ seq: 1, recordedAtMs: Date.now(), ...place }] });
  t.match(await driver.next('error'), { id: 1, code: 'run_unknown' });
});

t.test('SDK: a driver, a rider and an operator over tickets, through the death of the realtime node', async (t) => {
  const operator = system.http('otto', 'operator');
  const trip = await operator.createTrip({
    driverId: 'dimitri',
    passengerIds: ['rana'],
    origin: place,
    destination: place,
  });
  await operator.startTrip(trip.tripId);
  const driver = createDriverClient(overTickets('dimitri', 'driver'));
  const rider = createRiderClient(overTickets('rana', 'rider'));
  const desk = createConsoleClient(overTickets('otto', 'operator'));
  t.teardown(() => Promise.all([driver.close(), rider.close(), desk.close()]));

  const seen: Position[] = [];
  const onMap = new Map<string, Position>();
  let ofDriver: Position | undefined;
  let events = 0;
  let isComplete = false;
  rider.watchTrip(trip.tripId, { onPosition: (position) => seen.push(position), onEvent: () => (events += 1) });
  desk.watchDriver('dimitri', { onPosition: (position) => (ofDriver = position) });
  desk.watchMap({
    onVehicles(changed, gone, { complete }) {
      for (const position of changed) onMap.set(position.driverId, position);
      for (const driverId of gone) onMap.delete(driverId);
      isComplete ||= complete;
    },
  });
  await Promise.all([driver.connect(), rider.connect(), desk.connect()]);
  await waitFor(() => isComplete, { withinMs: 10_000, what: 'the whole map' });

  const startMs = Date.now() - 20_000;
  const drive = (from: number, to: number) => {
    for (let i = from; i < to; i += 1) {
      const reading = { recordedAtMs: startMs + i * 100, lat: place.lat + i * 1e-6, lng: place.lng };
      driver.addFix(reading, { tripId: trip.tripId });
    }
  };
  drive(0, 60);
  await driver.whenDurable();
  await waitFor(() => seen.at(-1)?.seq === 60, { withinMs: 10_000, what: 'the rider to see fix 60' });
  t.equal(rider.serverTimeMs() > 0, true);

  const node = system.realtimes[0];
  await node?.process.kill9();
  drive(60, 90);
  await waitFor(() => driver.state.name !== 'live', { withinMs: 10_000, what: 'the driver to notice' });
  drive(90, 120);
  await node?.restart();
  await driver.whenDurable();
  await waitFor(() => [seen.at(-1), onMap.get('dimitri'), ofDriver].every((position) => position?.seq === 120), {
    withinMs: 30_000,
    what: 'rider, map and driver watch to see fix 120',
  });
  await operator.endTrip(trip.tripId);
  await waitFor(() => events === 1, { withinMs: 10_000, what: 'the end of the trip' });

  const { fixes } = await operator.getTrack(trip.tripId, { limit: 1000 });
  t.strictSame(
    fixes.map(({ seq }) => seq),
    Array.from({ length: 120 }, (_, index) => index + 1),
    'every fix, once, in order',
  );
  t.equal(driver.pendingCount, 0);
  t.ok(
    seen.every((position, index) => index === 0 || position.seq >= (seen[index - 1]?.seq ?? 0)),
    'never back',
  );
});

t.test('SDK: each route of the API answers what the client expects', async (t) => {
  const operator = system.http('otto', 'operator');
  const driver = system.http('dana', 'driver');
  const trip = { driverId: 'dana', passengerIds: [], origin: place, destination: place, reference: 'RIDE-7' };
  const { tripId } = await operator.createTrip(trip, { idempotencyKey: 'once' });
  t.equal((await operator.createTrip(trip, { idempotencyKey: 'once' })).tripId, tripId, 'a retry makes no second trip');
  t.match(await operator.putPassengers(tripId, ['ravi']), { passengerIds: ['ravi'] });
  t.match(await driver.putAvailability(true), { driverId: 'dana', available: true });
  t.match(await driver.startTrip(tripId), { state: 'active' });
  t.match(await operator.listTrips({ q: 'RIDE-7', state: 'active' }), { trips: [{ tripId }], nextCursor: null });

  const before = await operator.getTripLocation(tripId);
  t.match(before, { isModified: true, location: null });
  const moved = operator.getTripLocation(tripId, { ...(before.etag && { etag: before.etag }), waitSeconds: 20 });
  const { run } = await driver.createRun();
  const fixes = [{ seq: 1, recordedAtMs: Date.now(), ...place }];
  t.match(await driver.postFixes({ run, from: 1, tripId, fixes }), { run, receivedSeq: 1, drops: [] });
  t.match(await moved, { isModified: true, location: { driverId: 'dana', seq: 1 } }, 'the long poll ends with the fix');

  t.match(await operator.getDriverLocation('dana'), { location: { tripId, seq: 1 } });
  t.match(await operator.nearbyTrips({ ...place, limit: 5 }), { trips: Array });
  t.match(await operator.nearbyDrivers(place), { drivers: Array });
  t.match(await operator.getRoads({ west: -8.7, south: 41.1, east: -8.5, north: 41.2 }), { type: 'FeatureCollection' });
  t.match(await operator.getTrack(tripId), { fixes: [{ seq: 1 }], nextCursor: null });
  t.match(await operator.exportTrack(tripId, 'gpx'), /<gpx/);
  t.match(await operator.createTicket(), { ticket: String, expiresAt: String });
  t.match(await driver.endTrip(tripId), { state: 'ended' });
  t.match(await operator.getTrip(tripId), { state: 'ended', passengerIds: ['ravi'] });
  await t.rejects(driver.startTrip(tripId), { name: 'HttpProblem', code: 'trip_state_conflict', status: 409 });
  await t.rejects(driver.listTrips(), { code: 'forbidden', correlationId: String });
});

t.test('SDK: a rider sees the cars around come, and go, under ids of the moment', async (t) => {
  const here = { lat: 41.3, lng: -8.2 };
  const { topic, drivers } = await system.http('rita', 'rider').nearbyDrivers(here);
  t.same(drivers, []);

  const seen: NearbyDriver[][] = [];
  const rider = createRiderClient(overTickets('rita', 'rider'));
  t.teardown(() => rider.close());
  rider.watchNearby(topic, { onDrivers: (around) => void seen.push(around) });
  await rider.connect();
  await waitFor(() => seen.length > 0, { withinMs: 10_000, what: 'the first list' });

  const cab = system.http('nadia', 'driver');
  await cab.putAvailability(true);
  const { run } = await cab.createRun();
  await cab.postFixes({ run, from: 1, fixes: [{ seq: 1, recordedAtMs: Date.now(), ...here }] });
  await waitFor(() => seen.at(-1)?.length === 1, { withinMs: 10_000, what: 'the car' });
  t.match(seen.at(-1), [here]);
  t.same(
    seen.at(-1)?.map(({ driverId }) => driverId),
    (await system.http('rita', 'rider').nearbyDrivers(here)).drivers.map(({ driverId }) => driverId),
    'the id that HTTP gives',
  );
  await cab.putAvailability(false);
  await waitFor(() => seen.at(-1)?.length === 0, { withinMs: 10_000, what: 'the car to go' });
});

function overTickets(userId: string, role: 'driver' | 'rider' | 'operator'): ConnectionOptions {
  const options = system.connectionOptions(userId, role);
  return { ...options, auth: 'ticket', createSocket: (url, protocols) => new WebSocket(url, protocols) };
}

async function open(t: Test, token: string) {
  const url = `${system.realtimes[0]?.url.replace('http', 'ws')}/v1/realtime`;
  const socket = new WebSocket(url, { protocols: ['hushryd.v1'], headers: { authorization: `Bearer ${token}` } });
  const frames: ServerFrame[] = [];
  socket.addEventListener('message', ({ data }) => void frames.push(JSON.parse(String(data))));
  await once(socket, 'open');
  t.teardown(() => socket.close());
  t.equal(socket.protocol, 'hushryd.v1');

  return {
    send: (frame: object) => socket.send(JSON.stringify(frame)),
    unread: () => frames,
    /** The next frame, which has to be of this type. */
    async next<Type extends ServerFrame['type']>(type: Type): Promise<Extract<ServerFrame, { type: Type }>> {
      await waitFor(() => frames.length > 0, { withinMs: 10_000, what: `a frame of type ${type}` });
      const frame = frames.shift() as ServerFrame;
      if (frame.type !== type) throw new Error(`${type} expected, ${JSON.stringify(frame)} came`);
      return frame as Extract<ServerFrame, { type: Type }>;
    },
  };
}
