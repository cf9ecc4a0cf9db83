import type { DriverState, Position } from '@hushryd/contracts/fix';
import type { NearbyDriver } from '@hushryd/contracts/http/drivers';
import type { NearbyFrame } from '@hushryd/contracts/realtime/server-frames';
import { nearbyTopic } from '@hushryd/contracts/realtime/topics';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import type { LivePositions } from '@hushryd/tracking/feed/live-positions';
import { distanceMeters } from '@hushryd/tracking/geo/distance';
import { cellAround, middleOfCell } from '@hushryd/tracking/nearby/nearby-cell';
import fc from 'fast-check';
import t from 'tap';
import type { Connection, Membership } from '../connections/connection.ts';
import { createHeldPositions } from './held-positions.ts';
import { createNearbyCells } from './nearby-cells.ts';

const porto = { lat: 41.15, lng: -8.61 };
const fourDecimals = (degrees: number) => Math.round(degrees * 1e4) / 1e4;

/** Cells over a fleet that the test moves. */
function createWorld() {
  const fleet = new Map<string, Position>();
  const listeners = new Set<Parameters<LivePositions['onChange']>[0]>();
  let opened = 0;
  const live: LivePositions = {
    start: async () => undefined,
    close: async () => listeners.clear(),
    isRead: true,
    get: (driverId) => fleet.get(driverId),
    get size() {
      return fleet.size;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    [Symbol.iterator]: () => fleet.values(),
  };
  const positions = createHeldPositions({
    openPositions() {
      opened += 1;
      return live;
    },
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
  });
  const passingIds = { current: async () => (driverId: string) => `passing-${driverId}` };
  return {
    cells: createNearbyCells({ positions, passingIds }),
    close: positions.close,
    fleet,
    opened: () => opened,
    put(driverId: string, place: { lat: number; lng: number; state?: DriverState }) {
      const seq = (fleet.get(driverId)?.seq ?? 0) + 1;
      const position: Position = { driverId, state: 'available', run: 1, seq, recordedAtMs: Date.now(), ...place };
      fleet.set(driverId, position);
      for (const listener of listeners) listener(driverId, position);
    },
    remove(driverId: string) {
      fleet.delete(driverId);
      for (const listener of listeners) listener(driverId, undefined);
    },
  };
}

function createRider() {
  const memberships = new Map<string, Membership>();
  const frames: NearbyFrame[] = [];
  const socket = {
    bufferedBytes: 0,
    memberships,
    sendFrame: () => true,
    send(text: string) {
      frames.push(JSON.parse(text) as NearbyFrame);
      return true;
    },
  };
  return {
    socket,
    frames,
    shown: () => frames.at(-1)?.drivers ?? [],
    join({ cells }: ReturnType<typeof createWorld>, cell: string) {
      const place: Membership = { leave: () => undefined };
      memberships.set(nearbyTopic(cell), place);
      return cells.join({ connection: socket as unknown as Connection, id: undefined, place, cell });
    },
    leave(cell: string) {
      memberships.get(nearbyTopic(cell))?.leave();
      memberships.delete(nearbyTopic(cell));
    },
  };
}

/** Every driver held against the middle of the cell, one by one. */
function expected(fleet: ReadonlyMap<string, Position>, cell: string) {
  const middle = middleOfCell(cell);
  if (middle === undefined) throw new Error(`${cell} is no cell`);
  return [...fleet.values()]
    .filter(({ state }) => state === 'available')
    .map(({ driverId, ...position }) => {
      const place = { lat: fourDecimals(position.lat), lng: fourDecimals(position.lng) };
      const meters = distanceMeters(middle.lat, middle.lng, place.lat, place.lng);
      return { driverId: `passing-${driverId}`, ...place, meters };
    })
    .filter(({ meters }) => meters <= 5000)
    .sort((one, other) => one.meters - other.meters || (one.driverId < other.driverId ? -1 : 1))
    .slice(0, 10)
    .map(({ driverId, lat, lng }) => ({ driverId, lat, lng }));
}

const inShort = (drivers: readonly NearbyDriver[]) => drivers.map(({ driverId, lat, lng }) => ({ driverId, lat, lng }));

const place = fc.record({
  lat: fc.double({ min: porto.lat - 0.06, max: porto.lat + 0.06, noNaN: true }),
  lng: fc.double({ min: porto.lng - 0.06, max: porto.lng + 0.06, noNaN: true }),
});
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ driver: fc.nat(40), place, state: fc.constantFrom('available', 'on_trip', 'off') }),
  },
  { weight: 1, arbitrary: fc.record({ driver: fc.nat(40), gone: fc.constant(true) }) },
  { weight: 2, arbitrary: fc.constant('round' as const) },
);

t.test(
  'riders see the ten available drivers nearest to the middle of their cell, as every driver held against it gives',
  async (t) => {
    const seed = Number(process.env.FC_SEED ?? Date.now() % 1_000_000);
    t.comment(`seed ${seed}`);
    let looks = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60 }),
        fc.array(place, { minLength: 1, maxLength: 3 }),
        async (steps, places) => {
          const world = createWorld();
          const riders = places.map((where) => ({ rider: createRider(), cell: cellAround(where) }));
          const check = () => {
            for (const { rider, cell } of riders) {
              const [seen, truth] = [inShort(rider.shown()), expected(world.fleet, cell)].map((list) =>
                JSON.stringify(list),
              );
              if (seen !== truth) throw new Error(`${cell}: ${seen} instead of ${truth}`);
              looks += 1;
            }
          };
          for (const at of [porto, ...places]) world.put(`first-${at.lat}`, at);
          await Promise.all(riders.map(({ rider, cell }) => rider.join(world, cell)));
          check();
          for (const one of [...steps, 'round' as const]) {
            if (one === 'round') {
              await world.cells.round();
              check();
            } else if ('gone' in one) world.remove(`driver-${one.driver}`);
            else world.put(`driver-${one.driver}`, { ...one.place, state: one.state as DriverState });
          }
          await world.close();
        },
      ),
      { seed, numRuns: 300 },
    );
    t.ok(looks > 300, `${looks} lists compared`);
  },
);

t.test('drivers that come while a rider joins are not missed', async (t) => {
  const world = createWorld();
  for (let at = 0; at < 2000; at += 1) world.put(`far-${at}`, { lat: 10, lng: at / 100 });
  const [rider, cell] = [createRider(), cellAround(porto)];
  const joined = rider.join(world, cell);
  await new Promise((resolve) => setImmediate(resolve));
  world.put('near', porto);
  await joined;
  t.match(rider.shown(), [{ driverId: 'passing-near' }]);
  await world.close();
});

t.test('a socket that still holds something is left out, and told the newest afterwards', async (t) => {
  const world = createWorld();
  world.put('driver-1', porto);
  const [rider, cell] = [createRider(), cellAround(porto)];
  await rider.join(world, cell);
  rider.socket.bufferedBytes = 1;
  for (const lat of [41.151, 41.152]) {
    world.put('driver-1', { ...porto, lat });
    await world.cells.round();
  }
  t.equal(rider.frames.length, 1);
  rider.socket.bufferedBytes = 0;
  await world.cells.round();
  t.match([rider.frames.length, rider.shown()], [2, [{ lat: 41.152 }]]);
  await world.close();
});

t.test(
  'one cell at a time, only cells of the size that the API names, and nothing held once nobody watches',
  async (t) => {
    const world = createWorld();
    const rider = createRider();
    const [here, there] = [cellAround(porto), cellAround({ lat: 41.2, lng: -8.61 })];
    await rider.join(world, here);
    await t.rejects(rider.join(world, there), { code: 'too_many_topics' });
    for (const wrong of ['porto', '87392268cffffff', here.slice(1)]) {
      await t.rejects(createRider().join(world, wrong), { code: 'not_found' }, wrong);
    }
    rider.leave(there);
    rider.leave(here);
    t.equal(world.cells.watcherCount, 0);
    const heard = rider.frames.length;
    world.put('driver-1', porto);
    await world.cells.round();
    t.equal(rider.frames.length, heard);

    await rider.join(world, there);
    t.same([world.opened(), inShort(rider.shown())], [1, expected(world.fleet, there)]);
    await world.close();
  },
);
