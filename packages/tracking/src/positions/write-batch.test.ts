import type { Position } from '@hushryd/contracts/fix';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testRedis } from '@hushryd/platform/testing/engines';
import fc from 'fast-check';
import t from 'tap';
import type { AcceptedFix } from '../accept-fix.ts';
import { createDriverStates } from '../driver-state/driver-states.ts';
import { decodePosition, encodePosition } from '../feed/packed-positions.ts';
import { decodeEntry, encodeFixes, encodeGroupHeader } from '../history/packed-fixes.ts';
import { createRaiseDurable } from '../history/raise-durable.ts';
import { createRuns } from '../runs/allot-run.ts';
import { createPositionReader } from './read-position.ts';
import { createWriteBatch, type FixGroup } from './write-batch.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'warn' });
const settings = (await testRedis(t)).settings({ partitions: 1 });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);
const writeBatch = createWriteBatch({ redis, keys });
const positions = createPositionReader({ redis, keys });
const runs = createRuns({ redis, keys });
const driverStates = createDriverStates({ redis, keys });
const raiseDurable = createRaiseDurable({ redis, keys });

let drivers = 0;
const newDriver = () => {
  drivers += 1;
  return `driver-${drivers}`;
};
const startedAtMs = Date.now() - 20_000;

const fixAt = (seq: number, changes: Partial<AcceptedFix> = {}): AcceptedFix => ({
  seq,
  recordedAtMs: startedAtMs + seq,
  lat: 41 + seq / 1000,
  lng: -8 - seq / 1000,
  live: true,
  ...changes,
});
const groupOf = (driverId: string, run: number, fixes: AcceptedFix[], changes: Partial<FixGroup> = {}): FixGroup => ({
  driverId,
  run,
  from: 1,
  fixes,
  drops: [],
  receivedAtMs: Date.now(),
  ...changes,
});
const write = async (...groups: FixGroup[]) => writeBatch(0, groups);

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const motion = {
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lng: fc.double({ min: -180, max: 180, noNaN: true }),
  speedMps: optional(fc.double({ min: 0, max: 600, noNaN: true })),
  headingDegrees: optional(fc.double({ min: 0, max: 360, noNaN: true })),
  accuracyMeters: optional(fc.double({ min: 0, max: 5000, noNaN: true })),
  batteryPercent: optional(fc.integer({ min: 0, max: 100 })),
};
const isClose = (a: number | undefined, b: number | undefined, by: number) =>
  a === undefined || b === undefined ? a === b : Math.abs(a - b) <= by;
const isSameMotion = (a: Partial<Position>, b: Partial<Position>) =>
  isClose(a.lat, b.lat, 1e-7) &&
  isClose(a.lng, b.lng, 1e-7) &&
  isClose(a.speedMps, b.speedMps, 0.006) &&
  isClose(a.headingDegrees, b.headingDegrees, 0.006) &&
  isClose(a.accuracyMeters, b.accuracyMeters, 0.06) &&
  a.batteryPercent === b.batteryPercent;

t.test('positions and stream entries come back as they were packed', async (t) => {
  const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  const fix = fc.record({
    seq: fc.integer({ min: 1, max: 0xffffffff }),
    recordedAtMs: fc.integer({ min: 0, max: 8.64e15 }),
    live: fc.boolean(),
    ...motion,
  }) as fc.Arbitrary<AcceptedFix>;
  const group = fc.record({
    driverId: id,
    tripId: optional(id),
    run: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    from: fc.integer({ min: 1, max: 0xffffffff }),
    receivedAtMs: fc.integer({ min: 0, max: 8.64e15 }),
    drops: fc.array(fc.integer({ min: 1, max: 0xffffffff }), { maxLength: 5 }),
    fixes: fc.array(fix, { minLength: 1, maxLength: 5 }),
  });
  const property = fc.property(fc.array(group, { minLength: 1, maxLength: 4 }), (groups) => {
    for (const { driverId, tripId, run, fixes } of groups) {
      const newest = fixes[0] as AcceptedFix;
      const value = Buffer.concat([Buffer.of(1), encodePosition({ ...newest, run, tripId })]);
      const read = decodePosition(driverId, value);
      if (read.tripId !== tripId || read.run !== run || read.seq !== newest.seq || !isSameMotion(read, newest))
        return false;
    }
    const entry = Buffer.concat(
      groups.flatMap((packed) => {
        const count = Buffer.alloc(2);
        count.writeUInt16LE(packed.fixes.length);
        return [encodeGroupHeader(packed), count, encodeFixes(packed.fixes)];
      }),
    );
    return decodeEntry(entry).every((read, index) => {
      const { fixes, ...header } = groups[index] as (typeof groups)[number];
      const { fixes: readFixes, ...readHeader } = read;
      return (
        JSON.stringify(Object.entries(readHeader).sort()) ===
          JSON.stringify(Object.entries(JSON.parse(JSON.stringify(header))).sort()) &&
        readFixes.every((readFix, i) => {
          const original = fixes[i] as AcceptedFix;
          return readFix.seq === original.seq && readFix.live === original.live && isSameMotion(readFix, original);
        })
      );
    });
  });
  fc.assert(property, { numRuns: 1000 });
  t.pass('1000 cases');
});

t.test('the newest live fix becomes the position, the rest goes to the stream', async (t) => {
  const driverId = newDriver();
  const [result] = await write(
    groupOf(driverId, 7, [fixAt(1), fixAt(2, { speedMps: 12.34, headingDegrees: 90 }), fixAt(3, { live: false })], {
      tripId: 'trip',
    }),
  );

  t.strictSame(result, { moved: true, durableSeq: 0 });
  const position = await positions.read(driverId);
  t.match(position, {
    driverId,
    tripId: 'trip',
    state: 'on_trip',
    run: 7,
    seq: 2,
    lat: 41.002,
    speedMps: 12.34,
    headingDegrees: 90,
  });
});

t.test('an older run becomes history and hears of the newer one', async (t) => {
  const driverId = newDriver();
  await write(groupOf(driverId, 20, [fixAt(1)]));
  const [result] = await write(groupOf(driverId, 10, [fixAt(50)]));
  t.strictSame(result, { moved: false, supersededBy: 20, durableSeq: 0 });
  t.equal((await positions.read(driverId))?.run, 20);
});

t.test('what a driver declared shows on the position, on trip wins, and the end of a trip lets go of it', async (t) => {
  const driverId = newDriver();
  await driverStates.set({ driverId, available: true, version: 2 });
  t.equal(
    await driverStates.set({ driverId, available: false, version: 1 }),
    false,
    'an older declaration changes nothing',
  );
  await write(groupOf(driverId, 1, [fixAt(1)]));
  t.equal((await positions.read(driverId))?.state, 'available');

  await write(groupOf(driverId, 1, [fixAt(2)], { tripId: 'trip' }));
  t.equal((await positions.read(driverId))?.state, 'on_trip');
  await driverStates.set({ driverId, available: false, version: 3 });
  t.equal((await positions.read(driverId))?.state, 'on_trip');

  t.equal(await driverStates.clearTrip({ driverId, tripId: 'another' }), false);
  t.equal(await driverStates.clearTrip({ driverId, tripId: 'trip' }), true);
  const position = await positions.read(driverId);
  t.match(position, { state: 'off', seq: 2 });
  t.notOk(position?.tripId);
});

t.test('fixes of a trip that is over are its history and leave the driver free', async (t) => {
  const driverId = newDriver();
  await driverStates.set({ driverId, available: true, version: 1 });
  await write(groupOf(driverId, 1, [fixAt(1)], { tripId: 'trip' }));
  await driverStates.clearTrip({ driverId, tripId: 'trip' });

  const late = groupOf(driverId, 1, [fixAt(2)], { tripId: 'trip', isTripOver: true });
  t.match(await write(late), [{ moved: true }]);
  const position = await positions.read(driverId);
  t.match(position, { state: 'available', seq: 2 });
  t.notOk(position?.tripId);
});

t.test('a run is allotted above every earlier one, and one from the future is refused', async (t) => {
  const driverId = newDriver();
  const first = await runs.hello({ driverId });
  const second = await runs.hello({ driverId });
  t.ok(second.run > first.run);
  t.match(await runs.hello({ driverId, run: first.run, from: 9 }), { run: first.run, durableSeq: 8, position: null });
  await t.rejects(runs.hello({ driverId, run: Date.now() + 3_600_000 }), { code: 'run_unknown' });
});

t.test('duplicated, reordered and re-sent batches leave the state of each fix written once, in order', async (t) => {
  const seed = fc.sample(fc.integer(), 1)[0] as number;
  const sent = fc.record({
    run: fc.constantFrom(100, 200, 300),
    first: fc.integer({ min: 1, max: 12 }),
    // What of it is live; the rest came late, and is history only.
    live: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
  });
  const scenario = fc.array(sent, { minLength: 1, maxLength: 8 }).chain((batches) =>
    fc.record({
      batches: fc.constant(batches),
      // Every batch at least once, in any order, some again and again.
      order: fc
        .array(fc.nat(batches.length - 1), { maxLength: 8 })
        .chain((again) =>
          fc.shuffledSubarray([...batches.keys(), ...again], { minLength: batches.length + again.length }),
        ),
      durableAfter: fc.nat(10),
    }),
  );

  const property = fc.asyncProperty(scenario, async ({ batches, order, durableAfter }) => {
    const driverId = newDriver();
    const expected = new Map<string, AcceptedFix>();
    let highest: [number, number] = [0, 0];
    let before: [number, number] = [0, 0];
    for (const [step, index] of order.entries()) {
      const { run, first, live } = batches[index] as (typeof batches)[number];
      const fixes = live.map((isLive, i) => fixAt(first + i, { live: isLive }));
      for (const fix of fixes) expected.set(`${run}:${fix.seq}`, fix);
      const last = fixes.findLast((fix) => fix.live)?.seq;
      if (last !== undefined && (run > highest[0] || (run === highest[0] && last > highest[1]))) highest = [run, last];
      await write(groupOf(driverId, run, fixes));
      if (step === durableAfter) {
        // What is stored by now is durable from here on; its duplicates must not reach the stream again.
        await raiseDurable(0, [{ driverId, run, from: 1, receivedAtMs: 0, drops: [], fixes }], Date.now());
      }
      const { run: nowRun, seq: nowSeq } = (await positions.read(driverId)) ?? { run: 0, seq: 0 };
      if (nowRun < before[0] || (nowRun === before[0] && nowSeq < before[1])) return false;
      before = [nowRun, nowSeq];
    }

    const position = await positions.read(driverId);
    const streamed = await streamedFixes(driverId);
    return (
      (position?.run ?? 0) === highest[0] &&
      (position?.seq ?? 0) === highest[1] &&
      (position == null || position.lat === Math.round(fixAt(position.seq).lat * 1e7) / 1e7) &&
      streamed.size === expected.size &&
      [...expected.keys()].every((key) => streamed.has(key))
    );
  });
  await fc.assert(property, { numRuns: 1000, seed });
  t.pass(`1000 cases, seed ${seed}`);
});

async function streamedFixes(driverId: string): Promise<Set<string>> {
  const found = new Set<string>();
  const entries = (await redis.xrevrangeBuffer(keys.fixes(0), '+', '-', 'COUNT', 40)) as [Buffer, Buffer[]][];
  for (const [, fields] of entries) {
    for (const group of decodeEntry(fields[1] as Buffer)) {
      if (group.driverId !== driverId) continue;
      for (const { seq } of group.fixes) found.add(`${group.run}:${seq}`);
    }
  }
  return found;
}
