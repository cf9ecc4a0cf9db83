import type { DriverState, Position } from '@hushryd/contracts/fix';
import type { MapCluster, MapFrame } from '@hushryd/contracts/realtime/server-frames';
import { MapFrameSchema } from '@hushryd/contracts/realtime/server-frames';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { adminMapTopic } from '@hushryd/contracts/realtime/topics';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import type { LivePositions } from '@hushryd/tracking/feed/live-positions';
import fc from 'fast-check';
import t from 'tap';
import { Check } from 'typebox/value';
import type { Connection, Membership } from '../connections/connection.ts';
import { createAdminMap } from './admin-map.ts';
import { createHeldPositions } from './held-positions.ts';

const seed = Date.now() % 2 ** 31;
t.comment(`fast-check seed ${seed}`);

const limits = { clusterAbove: 12, separateUpTo: 9 };
const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });

/** A map over a fleet that the test moves. */
function createMap({ isAsShipped = false }: { isAsShipped?: boolean } = {}) {
  const fleet = new Map<string, Position>();
  const listeners = new Set<Parameters<LivePositions['onChange']>[0]>();
  let nowMs = 1_000_000;
  const live: LivePositions = {
    start: async () => undefined,
    close: async () => undefined,
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
  const positions = createHeldPositions({ openPositions: () => live, log });
  const map = createAdminMap({
    positions,
    now: () => nowMs,
    ...(!isAsShipped && { clusterLimits: limits }),
  });
  return {
    map,
    close: positions.close,
    fleet,
    put(driverId: string, place: { lat: number; lng: number; state?: DriverState; tripId?: string }) {
      const seq = (fleet.get(driverId)?.seq ?? 0) + 1;
      const position: Position = { driverId, state: 'available', run: 1, seq, recordedAtMs: seq, ...place };
      fleet.set(driverId, position);
      for (const listener of listeners) listener(driverId, position);
    },
    remove(driverId: string) {
      fleet.delete(driverId);
      for (const listener of listeners) listener(driverId, undefined);
    },
    /** The round in which those who filter are told. */
    async round() {
      for (let seconds = 0; seconds < 3; seconds += 1) {
        nowMs += 1000;
        await map.round();
      }
    },
  };
}

/** What a client that follows the protocol makes of its frames. */
function createOperator({ distort = (frame) => frame }: { distort?: (frame: MapFrame) => MapFrame } = {}) {
  const memberships = new Map<string, Membership>();
  let vehicles = new Map<string, Position>();
  let clusters = new Map<string, MapCluster>();
  let snapshot: { vehicles: typeof vehicles; clusters: typeof clusters } | undefined;
  const frames: MapFrame[] = [];

  function apply(frame: MapFrame): void {
    if (frame.snapshot) snapshot ??= { vehicles: new Map(), clusters: new Map() };
    const target = frame.snapshot ? (snapshot as { vehicles: typeof vehicles; clusters: typeof clusters }) : undefined;
    for (const one of frame.vehicles) (target?.vehicles ?? vehicles).set(one.driverId, one);
    for (const one of frame.clusters ?? []) (target?.clusters ?? clusters).set(one.id, one);
    for (const id of frame.gone) (frame.clusters ? clusters : vehicles).delete(id);
    if (!frame.complete || snapshot === undefined) return;
    ({ vehicles, clusters } = snapshot);
    snapshot = undefined;
  }
  const socket = {
    bufferedBytes: 0,
    memberships,
    sendFrame: () => true,
    send(text: string) {
      const frame = JSON.parse(text) as MapFrame;
      frames.push(frame);
      apply(distort(frame));
      return true;
    },
  };
  return {
    socket,
    connection: socket as unknown as Connection,
    frames,
    vehicles: () => vehicles,
    clusters: () => clusters,
    subscribe(map: ReturnType<typeof createAdminMap>, filter: TopicFilter) {
      memberships.get(adminMapTopic)?.leave();
      snapshot = undefined;
      const place: Membership = { leave: () => undefined };
      memberships.set(adminMapTopic, place);
      return map.join({ connection: this.connection, id: undefined, place, filter });
    },
  };
}
type Operator = ReturnType<typeof createOperator>;

/** The filter in other words than `compileFilter` uses. */
function isWanted({ bbox, states, text }: TopicFilter, { lat, lng, state, driverId, tripId = '' }: Position): boolean {
  if (states && !states.some((wanted) => wanted === state)) return false;
  if (text && !`${driverId}\n${tripId}`.toUpperCase().includes(text.toUpperCase())) return false;
  if (bbox === undefined) return true;
  const isBetween =
    bbox.west <= bbox.east ? bbox.west <= lng && lng <= bbox.east : lng >= bbox.west || bbox.east >= lng;
  return isBetween && bbox.south <= lat && lat <= bbox.north;
}

/** @returns what is wrong with what the operator was told; undefined: nothing */
function findFault(
  operator: Operator,
  { filter, wasClustered, fleet }: { filter: TopicFilter; wasClustered: boolean; fleet: ReadonlyMap<string, Position> },
): string | undefined {
  const wanted = [...fleet.values()].filter((position) => isWanted(filter, position));
  const isClustered = wanted.length > (wasClustered ? limits.separateUpTo : limits.clusterAbove);
  const vehicles = [...operator.vehicles().values()];
  const clusters = [...operator.clusters().values()];
  const say = (what: string) => `${what}: ${JSON.stringify({ filter, wasClustered, wanted, vehicles, clusters })}`;
  const bad = operator.frames.find((frame) => !Check(MapFrameSchema, frame));
  if (bad) return `no map frame: ${JSON.stringify(bad)}`;
  if (isClustered) {
    if (vehicles.length > 0) return say('vehicles beside clusters');
    for (const state of [undefined, 'off', 'available', 'on_trip'] as const) {
      const told = clusters.reduce((sum, one) => sum + (state ? (one.states[state] ?? 0) : one.count), 0);
      const there = wanted.filter((one) => state === undefined || one.state === state).length;
      if (told !== there) return say(`${told} instead of ${there} ${state ?? 'vehicles'}`);
    }
    const lat = clusters.reduce((sum, one) => sum + one.lat * one.count, 0);
    const lng = clusters.reduce((sum, one) => sum + one.lng * one.count, 0);
    const differs = (mean: number, places: number[]) => Math.abs(mean - places.reduce((a, b) => a + b, 0)) > 1e-3;
    if (
      differs(
        lat,
        wanted.map((one) => one.lat),
      ) ||
      differs(
        lng,
        wanted.map((one) => one.lng),
      )
    )
      return say('middles');
    return undefined;
  }
  if (clusters.length > 0) return say('clusters beside vehicles');
  const names = (positions: Position[]) =>
    positions
      .map(({ driverId, seq }) => `${driverId}.${seq}`)
      .sort()
      .join();
  return names(vehicles) === names(wanted) ? undefined : say('vehicles');
}

const lat = fc.integer({ min: -3, max: 3 });
const lng = fc.constantFrom(-180, -179, -178, 0, 177, 178, 179, 180);
const state = fc.constantFrom('off' as const, 'available' as const, 'on_trip' as const);
const filter: fc.Arbitrary<TopicFilter> = fc
  .record(
    {
      bbox: fc
        .record({ lats: fc.tuple(lat, lat), west: lng, east: lng })
        .map(({ lats, west, east }) => ({ south: Math.min(...lats), north: Math.max(...lats), west, east })),
      states: fc.uniqueArray(state, { minLength: 1 }),
      text: fc.constantFrom('1', 'DRIVER-2', 'trip'),
    },
    { requiredKeys: [] },
  )
  // A wide one is what crosses the threshold.
  .map((given) => (given.text === '1' ? {} : given));
const move = fc.record({
  kind: fc.constant('move' as const),
  driver: fc.integer({ min: 0, max: 29 }),
  place: fc.record({ lat, lng, state }),
  isOnTrip: fc.boolean(),
});
const moves = fc.array(move, { maxLength: 12 }).map((all) => ({ kind: 'moves' as const, all }));
const step = fc.oneof(
  { weight: 5, arbitrary: moves },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('leave' as const),
      from: fc.nat({ max: 29 }),
      count: fc.nat({ max: 20 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('filter' as const), operator: fc.nat({ max: 2 }), filter }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stall' as const), operator: fc.nat({ max: 2 }) }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'round' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

interface Asked {
  operator: Operator;
  filter: TopicFilter;
  wasClustered: boolean;
}

async function take(step: Step, { map, put, remove, round }: ReturnType<typeof createMap>, operators: Asked[]) {
  if (step.kind === 'moves') {
    for (const { driver, place, isOnTrip } of step.all) {
      put(`driver-${driver}`, { ...place, ...(isOnTrip && { tripId: `trip-${driver}` }) });
    }
  } else if (step.kind === 'leave') {
    for (let at = step.from; at < step.from + step.count; at += 1) remove(`driver-${at}`);
  } else if (step.kind === 'stall') {
    // One round passes him by, as he still holds what came before; what he has drained is followed by the next.
    const { socket, connection } = (operators[step.operator] as Asked).operator;
    socket.bufferedBytes = 1;
    await round();
    socket.bufferedBytes = 0;
    map.drained(connection);
  } else if (step.kind === 'filter') {
    const asked = operators[step.operator] as Asked;
    asked.filter = step.filter;
    await asked.operator.subscribe(map, step.filter);
  } else await round();
}

/** Let things happen to a fleet and three operators; after every round each knows what his filter leaves, no more, no less. */
async function play(
  steps: Step[],
  distort?: (frame: MapFrame) => MapFrame,
): Promise<{ looks: number; crowds: number }> {
  const world = createMap();
  for (let driver = 0; driver < 14; driver += 1) {
    world.put(`driver-${driver}`, { lat: driver % 3, lng: 178 + (driver % 3) });
  }
  const operators: Asked[] = [];
  for (let count = 0; count < 3; count += 1) {
    const operator = createOperator({ ...(distort && { distort }) });
    await operator.subscribe(world.map, {});
    operators.push({ operator, filter: {}, wasClustered: true });
  }
  const seen = { looks: 0, crowds: 0 };
  for (const step of [...steps, { kind: 'round' as const }]) {
    await take(step, world, operators);
    for (const asked of operators) {
      if (step.kind === 'round') {
        const fault = findFault(asked.operator, { ...asked, fleet: world.fleet });
        if (fault !== undefined) throw new Error(fault);
        seen.looks += 1;
      }
      asked.wasClustered = asked.operator.clusters().size > 0;
      if (asked.wasClustered) seen.crowds += 1;
    }
  }
  await world.close();
  return seen;
}

const scenario = fc.array(step, { minLength: 3, maxLength: 14 });

t.test('after each round an operator knows exactly what his filter leaves of the fleet', async (t) => {
  let looks = 0;
  let crowds = 0;
  const property = fc.asyncProperty(scenario, async (steps) => {
    const seen = await play(steps);
    looks += seen.looks;
    crowds += seen.crowds;
  });
  await fc.assert(property, { seed, numRuns: 300 });
  t.ok(looks > 1000 && crowds > 300, `${looks} looks; clusters ${crowds} times`);
});

t.test('negative control: whatever is left out of what is told is found', async (t) => {
  const distortions: Record<string, (frame: MapFrame) => MapFrame> = {
    'who left the filter': (frame) => ({ ...frame, gone: [] }),
    'who entered it': (frame) => (frame.snapshot ? frame : { ...frame, vehicles: frame.vehicles.slice(1) }),
    'a cluster': (frame) => (frame.clusters ? { ...frame, clusters: frame.clusters.slice(1) } : frame),
    'the mark of a snapshot': ({ snapshot: _, complete: __, ...frame }) => frame,
  };
  for (const [what, distort] of Object.entries(distortions)) {
    const property = fc.asyncProperty(scenario, async (steps) => void (await play(steps, distort)));
    const { failed, numRuns } = await fc.check(property, { seed, numRuns: 300, endOnFailure: true });
    t.ok(failed, `${what}: found after ${numRuns} runs`);
  }
});

t.test('2,000 vehicles are told one by one, above that as clusters in frames that a socket takes', async (t) => {
  const { map, close, put, remove, round } = createMap({ isAsShipped: true });
  const place = (at: number) => ({ lat: 41 + (at % 50) * 0.01, lng: -8.6 + Math.floor(at / 50) * 0.01 });
  for (let at = 0; at < 2000; at += 1) put(`driver-${at}`, place(at));
  const operator = createOperator();
  const sizes: number[] = [];
  const { send } = operator.socket;
  operator.socket.send = (text) => {
    sizes.push(text.length);
    return send(text);
  };
  const bbox = { south: 41, west: -8.6, north: 41.5, east: -8.1 };
  await operator.subscribe(map, { bbox });
  await round();
  t.strictSame([operator.vehicles().size, operator.clusters().size], [2000, 0]);

  for (let at = 2000; at < 2200; at += 1) put(`driver-${at}`, place(at));
  await round();
  t.equal(operator.vehicles().size, 0);
  const before = [...operator.clusters().keys()];
  t.ok(before.length > 100 && before.length <= 1024, `${before.length} clusters`);
  t.ok(Math.max(...sizes) < 32_768, `the largest frame has ${Math.max(...sizes)} bytes`);

  for (let at = 1900; at < 2200; at += 1) remove(`driver-${at}`);
  // Within a second of the last look at the fleet it would be shown as it was then.
  await round();
  await operator.subscribe(map, { bbox: { ...bbox, east: -8.09 } });
  await round();
  t.equal(operator.vehicles().size, 1900, 'a new subscription has no hysteresis');

  for (let at = 1900; at < 2100; at += 1) put(`driver-${at}`, place(at));
  await round();
  t.ok(operator.clusters().size > 0);
  const shared = before.filter((id) => operator.clusters().has(id));
  t.ok(shared.length > before.length * 0.8, `a moved box keeps ${shared.length} of ${before.length} clusters`);
  await close();
});

t.test('a round in which nothing changed is told as well', async (t) => {
  const { map, close, put, round } = createMap();
  put('driver-1', { lat: 1, lng: 1 });
  const operator = createOperator();
  await operator.subscribe(map, { states: ['on_trip'] });
  await round();

  t.match(operator.frames, [
    { snapshot: true, complete: true, vehicles: [] },
    { vehicles: [], gone: [] },
  ]);
  await close();
});
