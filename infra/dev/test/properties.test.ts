import fc from 'fast-check';
import t from 'tap';
import { checkEveryMember, checkReadable, checkSameState, environmentOfChecks, ways } from './fix-checks.ts';
import { memberCases, readableCases, sameStateCases } from './property-cases.ts';
import { type Case, checkSecrecy, intruders } from './room-checks.ts';
import { startSystem } from './system.ts';

// Properties of the running system: two realtime nodes, two APIs, a worker, real engines. Every case has ids of its own and many are
// in flight at once, so the cases disturb one another as users do. HUSHRYD_FULL=1: 1,000 cases of each instead of 150.

const seed = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const runs = Number(process.env.PROPERTY_RUNS ?? (process.env.HUSHRYD_FULL === '1' ? 1000 : 150));
const inFlight = 24;
/** Thousands of sockets and trips: on two busy cores that takes minutes. */
const timeout = 900_000;
t.setTimeout(timeout);
t.comment(`seed ${seed}: set PROPERTY_SEED to repeat`);

const system = await startSystem(t, {
  apis: 2,
  realtimes: 2,
  env: {
    ...environmentOfChecks,
    MAX_ACCEPTS_PER_SECOND: '100000',
    MAX_FRAMES_PER_SECOND: '10000',
    REDIS_COMMAND_TIMEOUT_MS: '500',
  },
});
let cases = 0;

/**
 * Run the predicate for the kept cases and `runs` generated ones, many at a time; the failing one is printed whole, with the seed that
 * repeats it: it belongs among those of property-cases.ts.
 */
async function holdsForAll<Value>(
  { cases: kept, of }: { cases: readonly Value[]; of: fc.Arbitrary<Value> },
  holds: (value: Value, ids: Case) => Promise<void>,
) {
  const values = [...kept, ...fc.sample(of, { numRuns: runs, seed })];
  let next = 0;
  const work = async () => {
    while (next < values.length) {
      const index = next;
      next += 1;
      cases += 1;
      const ids = { driverId: `driver-${cases}`, riderId: `rider-${cases}`, tripId: `trip-${cases}` };
      try {
        await holds(values[index] as Value, ids);
      } catch (cause) {
        next = values.length;
        throw new Error(`case ${index} of seed ${seed}: ${fc.stringify(values[index])}: ${String(cause)}`, { cause });
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

const urlOf = (node: number): string => system.realtimes[node]?.url ?? '';
const coordinate = {
  lat: fc.double({ min: -89, max: 89, noNaN: true }),
  lng: fc.double({ min: -179, max: 179, noNaN: true }),
};
t.test('an acknowledged fix is readable, with the same coordinates, from another process', { timeout }, async (t) => {
  const places = fc.array(fc.record(coordinate), { minLength: 1, maxLength: 3 });
  await holdsForAll(
    { cases: readableCases, of: fc.record({ route: places, node: fc.nat(1) }) },
    ({ route, node }, ids) => checkReadable(system, { url: urlOf(node), api: 1 - node, route, ids }),
  );
  t.pass(`${runs} cases`);
});

t.test(
  'duplicated, reordered, delayed and re-sent batches leave the same state, and positions never go back',
  { timeout },
  async (t) => {
    const frame = fc.record({ first: fc.integer({ min: 1, max: 15 }), count: fc.integer({ min: 1, max: 5 }) });
    const over = fc.constantFrom(...ways);
    const scenario = fc.array(frame, { minLength: 1, maxLength: 6 }).chain((sent) =>
      fc.record({
        sent: fc.constant(sent),
        again: fc.array(fc.record({ index: fc.nat(sent.length - 1), over }), { maxLength: 6 }),
        shuffle: fc.array(fc.nat(1000), { minLength: 12, maxLength: 12 }),
        delayedTo: fc.oneof(fc.constant(0), fc.nat(20)),
        node: fc.nat(1),
      }),
    );
    await holdsForAll({ cases: sameStateCases, of: scenario }, ({ sent, again, shuffle, delayedTo, node }, ids) => {
      const once = sent.map((_, index) => ({ index, over: 'socket' }) as const);
      const deliveries = [...once, ...again]
        .map((delivery, at) => ({ ...delivery, place: shuffle[at] ?? 0 }))
        .sort((a, b) => a.place - b.place)
        .map(({ index, over }) => ({ ...(sent[index] as (typeof sent)[number]), over }));
      const urls = { driver: urlOf(node), watcher: urlOf(1 - node) };
      return checkSameState(system, { urls, api: node, deliveries, delayedTo, ids });
    });
    t.pass(`${runs} cases`);
  },
);

t.test(
  'every member of a room receives what was published after its subscription, whenever it came',
  { timeout },
  async (t) => {
    const scenario = fc.record({
      before: fc.integer({ min: 0, max: 3 }),
      after: fc.integer({ min: 1, max: 4 }),
      node: fc.nat(1),
      isRider: fc.boolean(),
    });
    await holdsForAll({ cases: memberCases, of: scenario }, ({ node, ...scene }, ids) =>
      checkEveryMember(system, { urls: { driver: urlOf(0), member: urlOf(node) }, ...scene, ids }),
    );
    t.pass(`${runs} cases`);
  },
);

t.test(
  'a room never leaks to a socket that may not see it, also not to one that no longer may',
  { timeout },
  async (t) => {
    await holdsForAll(
      { cases: [], of: fc.record({ who: fc.constantFrom(...intruders), node: fc.nat(1) }) },
      ({ who, node }, ids) =>
        checkSecrecy(system, {
          urls: { driver: urlOf(0), rider: urlOf(1 - node), stranger: urlOf(node) },
          who,
          ids,
        }),
    );
    t.pass(`${runs} cases`);
  },
);
