import type { Position } from '@hushryd/contracts/fix';
import { startFaultProxy } from '@hushryd/platform/testing/fault-proxy';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import type { ConnectionOptions } from '@hushryd/sdk/connection/connection-options';
import type { ConnectionState } from '@hushryd/sdk/connection/connection-state';
import { createDriverClient } from '@hushryd/sdk/driver-client';
import type { FetchLike } from '@hushryd/sdk/http/fetch';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import t from 'tap';
import { compareFixes, nameOf } from './heard.ts';
import { startSystem } from './system.ts';

// What stands between and knows no websockets, as hotel networks and old proxies do: sockets are cut, the api is as near as before.

const system = await startSystem(t);
const place = { lat: 41.1496, lng: -8.611 };
const port = Number(new URL(system.realtimes[0]?.url as string).port);
const soon = { withinMs: 30_000 };

const passengersOf = (round: number): string[] => ['rita', `guest-${round}`];

/** A rider, a driver and their trip behind a proxy that a test can close to websockets. */
async function setUp(names: { driverId: string }, fetch: FetchLike = globalThis.fetch as FetchLike) {
  const proxy = await startFaultProxy(t, { port });
  let areBlocked = false;
  const operator = system.http('otto', 'operator');
  const trip = await operator.createTrip({
    driverId: names.driverId,
    passengerIds: ['rita'],
    origin: place,
    destination: place,
  });
  await operator.startTrip(trip.tripId);
  const optionsOf = (userId: string, role: 'driver' | 'rider'): ConnectionOptions => {
    const options = system.connectionOptions(userId, role);
    return {
      ...options,
      fetch,
      realtimeUrl: `ws://127.0.0.1:${proxy.port}`,
      // Nothing listens at the other address: refused at once.
      createSocket: (url, protocols, headers) =>
        (options.createSocket as NonNullable<ConnectionOptions['createSocket']>)(
          areBlocked ? 'ws://127.0.0.1:1/v1/realtime' : url,
          protocols,
          headers,
        ),
    };
  };
  let rounds = 0;
  return {
    operator,
    tripId: trip.tripId,
    rider: createRiderClient(optionsOf('rita', 'rider')),
    driver: createDriverClient(optionsOf(names.driverId, 'driver')),
    block() {
      areBlocked = true;
      proxy.resetAll();
    },
    heal() {
      areBlocked = false;
    },
    /** One more event of the trip. */
    async happen() {
      rounds += 1;
      await operator.putPassengers(trip.tripId, passengersOf(rounds));
    },
  };
}

/** What a rider was told, and what of it is wrong. */
function createRecord() {
  const versions: number[] = [];
  const positions: Position[] = [];
  const faults: string[] = [];
  let subscriptions = 0;
  return {
    versions,
    positions,
    faults,
    get subscriptions() {
      return subscriptions;
    },
    handlers: {
      onSubscribed() {
        subscriptions += 1;
      },
      onEvent(event: object) {
        const { version } = event as { version: number };
        const before = versions.at(-1);
        if (before !== undefined && version !== before + 1) faults.push(`event ${version} after ${before}`);
        versions.push(version);
      },
      onPosition(position: Position) {
        const before = positions.at(-1);
        if (before && compareFixes(position, before) < 0) faults.push(`${nameOf(position)} after ${nameOf(before)}`);
        positions.push(position);
      },
      onMissed: () => void faults.push('missed'),
    },
  };
}

const isOver = (state: ConnectionState, transport: string): boolean =>
  state.name === 'live' && state.transport === transport;

t.test(
  'websocket, server-sent events, websocket: each event once and in order, no position back, each fix stored',
  async (t) => {
    const { rider, driver, operator, tripId, block, heal, happen } = await setUp({ driverId: 'dora' });
    t.teardown(() => Promise.all([rider.close(), driver.close()]));
    const record = createRecord();
    rider.watchTrip(tripId, record.handlers);
    await Promise.all([rider.connect(), driver.connect()]);
    await waitFor(() => record.subscriptions === 1, { ...soon, what: 'the subscription' });
    let sent = 0;
    let lastMs = 0;
    const drive = (count: number) => {
      for (let i = 0; i < count; i += 1) {
        sent += 1;
        lastMs = Math.max(lastMs + 10, Date.now() - (count - i) * 50);
        driver.addFix({ recordedAtMs: lastMs, lat: place.lat + sent * 1e-6, lng: place.lng }, { tripId });
      }
    };
    const seesAll = () => record.positions.at(-1)?.seq === sent;

    drive(20);
    await happen();
    await waitFor(() => seesAll() && record.versions.length === 1, {
      ...soon,
      what: 'the first event, over a websocket',
    });

    block();
    await happen();
    drive(20);
    await waitFor(() => isOver(rider.state, 'sse'), { ...soon, what: 'the stream' });
    await waitFor(() => isOver(driver.state, 'poll'), { ...soon, what: 'the driver to go on over HTTP' });
    drive(20);
    await waitFor(seesAll, { ...soon, what: 'positions over the stream' });
    await happen();
    await waitFor(() => record.versions.length === 3, { ...soon, what: 'events over the stream' });
    await driver.whenDurable();

    heal();
    await happen();
    drive(20);
    // As an app that hears that the network changed; by themselves they come back within 30 s.
    await Promise.all([rider.connect(), driver.connect()]);
    await waitFor(() => isOver(rider.state, 'websocket') && isOver(driver.state, 'websocket'), {
      withinMs: 60_000,
      what: 'both back on their websockets',
    });
    await happen();
    drive(20);
    await waitFor(() => seesAll() && record.versions.length === 5, { ...soon, what: 'the rest, over websockets' });
    await driver.whenDurable();

    t.same(record.versions, [3, 4, 5, 6, 7]);
    t.same(record.faults, []);
    const { fixes } = await operator.getTrack(tripId, { limit: 1000 });
    t.same(
      fixes.map(({ seq }) => seq),
      Array.from({ length: sent }, (_, index) => index + 1),
      'every fix, once, in order',
    );
  },
);

t.test('by itself a client comes back to its websocket', async (t) => {
  const { rider, tripId, block, heal, happen } = await setUp({ driverId: 'dana' });
  t.teardown(() => rider.close());
  const record = createRecord();
  rider.watchTrip(tripId, record.handlers);
  block();
  void rider.connect();
  await waitFor(() => isOver(rider.state, 'sse'), { ...soon, what: 'the stream' });
  heal();
  await waitFor(() => isOver(rider.state, 'websocket'), { withinMs: 60_000, what: 'the websocket' });
  await happen();
  await waitFor(() => record.versions.length === 1, { ...soon, what: 'the event' });
  t.same(record.faults, []);
});

t.test('negative control: a stream that begins anew loses what happened in between, and that is seen', async (t) => {
  const forgetful: FetchLike = (url, init = {}) => {
    const { 'last-event-id': _, ...headers } = { ...(init.headers as Record<string, string>) };
    return (globalThis.fetch as FetchLike)(url, { ...init, headers });
  };
  const { rider, tripId, block, happen } = await setUp({ driverId: 'dimitri' }, forgetful);
  t.teardown(() => rider.close());
  const record = createRecord();
  rider.watchTrip(tripId, record.handlers);
  await rider.connect();
  await waitFor(() => record.subscriptions === 1, { ...soon, what: 'the subscription' });
  await happen();
  await waitFor(() => record.versions.length === 1, { ...soon, what: 'the first event' });

  block();
  await happen();
  await waitFor(() => isOver(rider.state, 'sse'), { ...soon, what: 'the stream' });
  await happen();
  await waitFor(() => record.versions.includes(5), { ...soon, what: 'the event after the hole' });
  t.not(record.faults.length, 0);
});
