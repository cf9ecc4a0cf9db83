import type { Fix } from '@hushryd/contracts/fix';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import fc from 'fast-check';
import t from 'tap';
import { openPlainSocket, type PlainSocket, patiently } from './plain-socket.ts';
import {
  ask,
  type Case,
  checkSecrecy,
  fixAt,
  intruders,
  loc,
  must,
  mustNeverGoBack,
  startTrip,
} from './room-checks.ts';
import { startSystem } from './system.ts';

// Properties of the running system: two realtime nodes, two APIs, a worker, real engines. Every case has ids of its own and many are
// in flight at once, so the cases disturb one another as users do.

const seed = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const runs = Number(process.env.PROPERTY_RUNS ?? 1000);
const inFlight = 24;
/** Thousands of sockets and trips: on two busy cores that takes minutes. */
const timeout = 900_000;
t.setTimeout(timeout);
t.comment(`seed ${seed}: set PROPERTY_SEED to repeat`);

const system = await startSystem(t, {
  apis: 2,
  realtimes: 2,
  env: {
    MAX_ACCEPTS_PER_SECOND: '100000',
    MAX_FRAMES_PER_SECOND: '10000',
    MAX_SPEED_KMH: '1000000000000',
    REDIS_COMMAND_TIMEOUT_MS: '500',
  },
});
const operator = system.http('operator', 'operator');
let cases = 0;

/** Run the predicate for `runs` generated values, many at a time; the failing value is printed with the seed that repeats it. */
async function holdsForAll<Value>(arbitrary: fc.Arbitrary<Value>, holds: (value: Value, ids: Case) => Promise<void>) {
  const values = fc.sample(arbitrary, { numRuns: runs, seed });
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

const open = (userId: string, role: 'driver' | 'rider' | 'operator', node: number): Promise<PlainSocket> =>
  openPlainSocket(system.realtimes[node]?.url ?? '', system.token(userId, role));

const orderOf = ({ run, seq }: { run: number; seq: number }) => [run, seq] as const;
const coordinate = {
  lat: fc.double({ min: -89, max: 89, noNaN: true }),
  lng: fc.double({ min: -179, max: 179, noNaN: true }),
};
t.test('an acknowledged fix is readable, with the same coordinates, from another process', { timeout }, async (t) => {
  const places = fc.array(fc.record(coordinate), { minLength: 1, maxLength: 3 });
  await holdsForAll(fc.tuple(places, fc.nat(1)), async ([route, node], { driverId }) => {
    const phone = await open(driverId, 'driver', node);
    const reader = system.http(driverId, 'driver', 1 - node);
    const { run } = await ask(phone, { type: 'hello' }, 'welcome');
    for (const [index, where] of route.entries()) {
      await ask(phone, loc(run, [fixAt(index + 1, where)]), 'recv');
      const { location } = await patiently(() => reader.getDriverLocation(driverId));
      must(
        location !== null && location.seq === index + 1,
        () => `seq ${index + 1} acknowledged, ${location?.seq} read`,
      );
      const isSame = Math.abs(location.lat - where.lat) <= 1e-6 && Math.abs(location.lng - where.lng) <= 1e-6;
      must(isSame, () => `${JSON.stringify(where)} sent, ${JSON.stringify(location)} read`);
    }
    await phone.close();
  });
  t.pass(`${runs} cases`);
});

t.test(
  'duplicated, reordered, delayed and re-sent batches leave the same state, and positions never go back',
  { timeout },
  async (t) => {
    const frame = fc.record({ first: fc.integer({ min: 1, max: 15 }), count: fc.integer({ min: 1, max: 5 }) });
    const scenario = fc.array(frame, { minLength: 1, maxLength: 6 }).chain((sent) =>
      fc.record({
        sent: fc.constant(sent),
        again: fc.array(fc.record({ index: fc.nat(sent.length - 1), over: fc.constantFrom('socket', 'http') }), {
          maxLength: 6,
        }),
        shuffle: fc.array(fc.nat(1000), { minLength: 12, maxLength: 12 }),
        node: fc.nat(1),
      }),
    );
    await holdsForAll(scenario, async ({ sent, again, shuffle, node }, ids) => {
      await startTrip(system, ids);
      const phone = await open(ids.driverId, 'driver', node);
      const watcher = await open(`operator-${ids.tripId}`, 'operator', 1 - node);
      await ask(watcher, { type: 'sub', topic: tripTopic(ids.tripId) }, 'subscribed');
      const { run } = await ask(phone, { type: 'hello' }, 'welcome');
      const recordedAtMs = Date.now();
      const fixOf = (seq: number): Fix => ({ seq, recordedAtMs: recordedAtMs + seq, lat: 41 + seq / 1000, lng: -8 });
      const batches = [...sent.map((_, index) => ({ index, over: 'socket' })), ...again]
        .map((batch, at) => ({ ...batch, place: shuffle[at] ?? 0 }))
        .sort((a, b) => a.place - b.place);

      const http = system.http(ids.driverId, 'driver', node);
      const deliveries = batches.map(({ index, over }) => {
        const { first, count } = sent[index] as (typeof sent)[number];
        const fixes = Array.from({ length: count }, (_, i) => fixOf(first + i));
        if (over === 'socket') return ask(phone, loc(run, fixes, ids.tripId), 'recv');
        return patiently(() => http.postFixes({ run, from: 1, tripId: ids.tripId, fixes }));
      });
      await Promise.all(deliveries);

      const seqs = new Set(sent.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)));
      const newest = Math.max(...seqs);
      const { location } = await patiently(() => http.getDriverLocation(ids.driverId));
      must(location?.run === run && location.seq === newest, () => `newest ${newest}, position ${location?.seq}`);
      const track = await patiently(() => operator.getTrack(ids.tripId));
      const expected = [...seqs].sort((a, b) => a - b);
      must(
        String(track.fixes.map(({ seq }) => seq)) === String(expected),
        () => `${expected} sent, track ${JSON.stringify(track.fixes.map(orderOf))}`,
      );

      await watcher.waitFor('position', ({ position }) => position.seq === newest);
      mustNeverGoBack(watcher.heard('position').map(({ position }) => position));
      await Promise.all([phone.close(), watcher.close()]);
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
    await holdsForAll(scenario, async ({ before, after, node, isRider }, ids) => {
      await startTrip(system, ids);
      const phone = await open(ids.driverId, 'driver', 0);
      const { run } = await ask(phone, { type: 'hello' }, 'welcome');
      const sendOne = (seq: number) =>
        ask(phone, loc(run, [fixAt(seq, { lat: 41 + seq / 1000, lng: -8 })], ids.tripId), 'recv');
      for (let seq = 1; seq <= before; seq += 1) await sendOne(seq);

      const member = isRider
        ? await open(ids.riderId, 'rider', node)
        : await open(`op-${ids.tripId}`, 'operator', node);
      // The subscription races with fixes that are on their way.
      const racing = sendOne(before + 1);
      await ask(member, { type: 'sub', topic: tripTopic(ids.tripId) }, 'subscribed');
      await racing;
      const last = before + 1 + after;
      for (let seq = before + 2; seq <= last; seq += 1) await sendOne(seq);

      await member.waitFor('position', ({ position }) => position.seq === last);
      const seen = member.heard('position').map(({ position }) => position.seq);
      const first = seen[0] as number;
      must(first >= before && first <= before + 2, () => `the snapshot is ${first}, ${before} were there before`);
      const contiguous = Array.from({ length: last - first + 1 }, (_, i) => first + i);
      must(String(seen) === String(contiguous), () => `${contiguous} expected, ${seen} received`);
      await Promise.all([phone.close(), member.close()]);
    });
    t.pass(`${runs} cases`);
  },
);

t.test(
  'a room never leaks to a socket that may not see it, also not to one that no longer may',
  { timeout },
  async (t) => {
    const urlOf = (node: number) => system.realtimes[node]?.url ?? '';
    await holdsForAll(fc.tuple(fc.constantFrom(...intruders), fc.nat(1)), ([who, node], ids) =>
      checkSecrecy(system, {
        urls: { driver: urlOf(0), rider: urlOf(1 - node), stranger: urlOf(node) },
        who,
        ids,
      }),
    );
    t.pass(`${runs} cases`);
  },
);
