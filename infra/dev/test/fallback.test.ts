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

// What stands between and knows no websockets, as hotel networks and old proxies do: sockets are refused or never answered, the api is as
// near as before.

const system = await startSystem(t);
const place = { lat: 41.1496, lng: -8.611 };
const port = Number(new URL(system.realtimes[0]?.url as string).port);
const soon = { withinMs: 30_000 };
/** A hung socket takes longer to be given up than one that is refused. */
const overHttp = { withinMs: 60_000 };

const plainFetch = globalThis.fetch as FetchLike;

/** As React Native's: an answer can be read only when it is complete. */
const wholeFetch: FetchLike = async (url, init) => {
  const response = await plainFetch(url, init);
  return { status: response.status, headers: response.headers, text: () => response.text() };
};

/** A rider, a driver and their trip behind a proxy that a test can close to websockets. */
async function setUp(names: { driverId: string }, fetch: FetchLike = plainFetch) {
  const proxy = await startFaultProxy(t, { port });
  let areBlocked = false;
  const operator = system.http('otto', 'operator');
  const riderId = `rider-of-${names.driverId}`;
  const trip = await operator.createTrip({
    driverId: names.driverId,
    passengerIds: [riderId],
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
      // A hung socket is noticed sooner than by default, and every try still hangs for longer than one that says enough.
      silenceMs: 2_000,
      connectTimeoutMs: 6_000,
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
    rider: createRiderClient(optionsOf(riderId, 'rider')),
    /** The same rider without the fallback: live is who gets a websocket. */
    stubborn: createRiderClient({ ...optionsOf(riderId, 'rider'), fallback: false }),
    driver: createDriverClient(optionsOf(names.driverId, 'driver')),
    /** Sockets are cut, and refused at once. */
    refuse() {
      areBlocked = true;
      proxy.resetAll();
    },
    /** Sockets stay, and new ones are accepted; nothing comes through. */
    hang: () => proxy.setFaults({ toServer: { isSilent: true }, toClient: { isSilent: true } }),
    heal() {
      areBlocked = false;
      proxy.heal();
    },
    /** One more event of the trip. */
    async happen() {
      rounds += 1;
      await operator.putPassengers(trip.tripId, [riderId, `guest-${rounds}`]);
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

// What takes long here is waiting, and each has a trip and people of its own.
t.jobs = 5;

const ways = [
  { how: 'refuse', transport: 'sse', fetch: plainFetch, driverId: 'dora' },
  { how: 'hang', transport: 'sse', fetch: plainFetch, driverId: 'dylan' },
  { how: 'refuse', transport: 'poll', fetch: wholeFetch, driverId: 'delia' },
] as const;

for (const { how, transport, fetch, driverId } of ways) {
  void t.test(
    `sockets that ${how}, ${transport}, websocket: each event once and in order, no position back, each fix stored`,
    { buffered: true },
    async (t) => {
      const parts = await setUp({ driverId }, fetch);
      const { rider, driver, stubborn, operator, tripId, heal, happen } = parts;
      t.teardown(() => Promise.all([rider.close(), driver.close(), stubborn.close()]));
      const record = createRecord();
      rider.watchTrip(tripId, record.handlers);
      await Promise.all([rider.connect(), driver.connect(), stubborn.connect()]);
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

      parts[how]();
      await happen();
      drive(20);
      await waitFor(() => isOver(rider.state, transport), { ...overHttp, what: `the trip by ${transport}` });
      await waitFor(() => isOver(driver.state, 'poll'), { ...overHttp, what: 'the driver to go on over HTTP' });
      drive(20);
      await waitFor(seesAll, { ...soon, what: 'positions over HTTP' });
      await happen();
      await waitFor(() => record.versions.length === 3, { ...soon, what: 'events over HTTP' });
      await driver.whenDurable();
      t.not(stubborn.state.name, 'live', 'no websocket could be had');

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
}

void t.test('by itself a client comes back to its websocket', { buffered: true }, async (t) => {
  const { rider, tripId, refuse, heal, happen } = await setUp({ driverId: 'dana' });
  t.teardown(() => rider.close());
  const record = createRecord();
  rider.watchTrip(tripId, record.handlers);
  refuse();
  void rider.connect();
  await waitFor(() => isOver(rider.state, 'sse'), { ...soon, what: 'the stream' });
  heal();
  await waitFor(() => isOver(rider.state, 'websocket'), { withinMs: 60_000, what: 'the websocket' });
  await happen();
  await waitFor(() => record.versions.length === 1, { ...soon, what: 'the event' });
  t.same(record.faults, []);
});

/** Every request begins anew, wherever the one before ended. */
const forgetful =
  (fetch: FetchLike): FetchLike =>
  (url, init = {}) => {
    const { 'last-event-id': _, ...headers } = { ...(init.headers as Record<string, string>) };
    return fetch(url, { ...init, headers });
  };

for (const { transport, fetch, driverId } of [
  { transport: 'sse', fetch: forgetful(plainFetch), driverId: 'dimitri' },
  { transport: 'poll', fetch: forgetful(wholeFetch), driverId: 'diana' },
]) {
  t.test(
    `negative control: ${transport} that begins anew loses what happened in between, and that is seen`,
    async (t) => {
      const { rider, tripId, refuse, happen } = await setUp({ driverId }, fetch);
      t.teardown(() => rider.close());
      const record = createRecord();
      rider.watchTrip(tripId, record.handlers);
      await rider.connect();
      await waitFor(() => record.subscriptions === 1, { ...soon, what: 'the subscription' });
      await happen();
      await waitFor(() => record.versions.length === 1, { ...soon, what: 'the first event' });

      refuse();
      await happen();
      await waitFor(() => isOver(rider.state, transport), { ...overHttp, what: `the trip by ${transport}` });
      await happen();
      t.ok(await waitFor(() => record.faults.length, { ...soon, what: 'the hole' }));
    },
  );
}
