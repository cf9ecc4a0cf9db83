import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Position } from '@hushryd/contracts/fix';
import { adminMapTopic } from '@hushryd/contracts/realtime/topics';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import type { LivePositions } from '@hushryd/tracking/feed/live-positions';
import t from 'tap';
import type { Connection, Membership } from '../connections/connection.ts';
import { createAdminMap } from './admin-map.ts';
import { createHeldPositions } from './held-positions.ts';

const at = (index: number): Position => ({
  driverId: `driver-${index}`,
  state: 'available',
  run: 1,
  seq: 1,
  recordedAtMs: 1,
  lat: 1,
  lng: 2,
});

/** A map over so many vehicles, whose opening waits for `ready`. */
function createMap({ vehicles = 0, ready = Promise.resolve() }: { vehicles?: number; ready?: Promise<void> }) {
  const positions = new Map(Array.from({ length: vehicles }, (_, index) => [`driver-${index}`, at(index)]));
  const counts = { opened: 0, closed: 0 };
  const live: LivePositions = {
    start: () => ready,
    async close() {
      counts.closed += 1;
    },
    isRead: true,
    get: (driverId) => positions.get(driverId),
    size: vehicles,
    onChange: () => () => undefined,
    [Symbol.iterator]: () => positions.values(),
  };
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const held = createHeldPositions({
    openPositions: () => {
      counts.opened += 1;
      return live;
    },
    log,
  });
  return { map: createAdminMap({ positions: held }), close: held.close, counts };
}

/** An operator's socket: what is sent is gone at once, as long as nothing is buffered. */
function createOperator() {
  const place: Membership = { leave: () => undefined };
  const heard = { vehicles: 0, isComplete: false };
  const socket = {
    bufferedBytes: 0,
    memberships: new Map([[adminMapTopic, place]]),
    sendFrame: () => true,
    send(text: string) {
      const frame = JSON.parse(text) as { vehicles: unknown[]; complete?: boolean };
      heard.vehicles += frame.vehicles.length;
      heard.isComplete ||= frame.complete === true;
      return true;
    },
  };
  return {
    request: { connection: socket as unknown as Connection, id: undefined, place, filter: undefined },
    socket,
    heard,
  };
}

t.test('an operator who reads fast gets the whole map at once, in as many turns as it takes', async (t) => {
  const { map, close } = createMap({ vehicles: 25_000 });
  const { request, heard } = createOperator();
  await map.join(request);
  t.ok(heard.vehicles < 25_000, 'others have their turn meanwhile');

  await waitFor(() => heard.isComplete, { withinMs: 10_000, what: 'the whole map' });
  t.equal(heard.vehicles, 25_000);
  await close();
});

t.test('an operator who reads slowly gets no more until the socket has drained, and none after leaving', async (t) => {
  const { map, close } = createMap({ vehicles: 25_000 });
  const { request, socket, heard } = createOperator();
  await map.join(request);
  socket.bufferedBytes = 1;
  await nextTurn();
  const before = heard.vehicles;
  for (let turns = 0; turns < 5; turns += 1) await nextTurn();
  t.equal(heard.vehicles, before);

  socket.bufferedBytes = 0;
  map.drained(request.connection);
  t.ok(heard.vehicles > before);
  request.place.leave();
  const after = heard.vehicles;
  for (let turns = 0; turns < 5; turns += 1) await nextTurn();
  t.equal(heard.vehicles, after);
  await close();
});

t.test('positions that are still being opened when the map closes are closed too', async (t) => {
  let resolve: () => void = () => undefined;
  const ready = new Promise<void>((onReady) => {
    resolve = onReady;
  });
  const { map, close, counts } = createMap({ ready });
  const { request } = createOperator();
  const joined = map.join(request);
  const closed = close();
  resolve();

  await t.rejects(joined, { code: 'redis_unavailable' });
  await closed;
  t.strictSame([counts, map.watcherCount], [{ opened: 1, closed: 1 }, 0]);
});

t.test('positions that could not be opened are opened anew for the next operator', async (t) => {
  const { map, counts } = createMap({ ready: Promise.reject(new Error('away')) });
  const { request } = createOperator();
  for (let tries = 0; tries < 2; tries += 1) await t.rejects(map.join(request), { message: 'away' });
  t.strictSame(counts, { opened: 2, closed: 2 });
});
