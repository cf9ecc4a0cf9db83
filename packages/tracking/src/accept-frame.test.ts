import type { Fix } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import fc from 'fast-check';
import t from 'tap';
import { createAcceptMemory } from './accept-fix.ts';
import { acceptFrame } from './accept-frame.ts';

const seed = Date.now() % 2 ** 31;
t.comment(`fast-check seed ${seed}`);

const startedAtMs = 1_000_000;
const endedAtMs = 2_000_000;
const nowMs = 2_100_000;
const access: TripAccess = {
  tripId: 'trip',
  version: 1,
  state: 'ended',
  driverId: 'driver',
  passengerIds: [],
  startedAtMs,
  endedAtMs,
};
const limits = {
  maxSpeedKmh: 350,
  maxAccuracyMeters: 200,
  maxFutureMs: 30_000,
  liveMaxAgeMs: 30_000,
  maxFixAgeMs: 86_400_000,
};
const frame = { driverId: 'driver', run: 7, from: 1, nowMs, limits };

t.test('every fix is in one group or among the drops, in order, and under the trip only while it ran', async (t) => {
  const reading = fc.record({ recordedAtMs: fc.integer({ min: 0, max: 3_000_000 }), lat: fc.constantFrom(41, 91) });
  const property = fc.property(fc.array(reading, { minLength: 1, maxLength: 30 }), (readings) => {
    const fixes: Fix[] = readings.map((read, index) => ({ seq: index + 1, lng: -8, ...read }));
    const { groups, accepted, drops } = acceptFrame({ ...frame, fixes, access, memory: createAcceptMemory() });

    const pieces = groups.map((group) => [...group.fixes.map(({ seq }) => seq), ...group.drops].sort((a, b) => a - b));
    const isComplete = String(pieces.flat()) === String(fixes.map(({ seq }) => seq));
    const countsRightly = groups.every((group) =>
      group.fixes.every(({ recordedAtMs }) => {
        const isWithin = recordedAtMs >= startedAtMs - 30_000 && recordedAtMs <= endedAtMs + 30_000;
        return group.tripId === (isWithin ? 'trip' : undefined);
      }),
    );
    return isComplete && countsRightly && accepted.length + drops.length === fixes.length;
  });
  fc.assert(property, { seed, numRuns: 1000 });
  t.pass('1000 cases');
});

t.test('a group says when its trip is over', async (t) => {
  const fixes = [
    { seq: 1, recordedAtMs: endedAtMs, lat: 1, lng: 2 },
    { seq: 2, recordedAtMs: nowMs, lat: 1, lng: 2 },
  ];
  const { endedAtMs: _, ...running } = access;
  const groupsUnder = (record: TripAccess) =>
    acceptFrame({ ...frame, fixes, access: record, memory: createAcceptMemory() }).groups.map(
      ({ tripId, isTripOver = false }) => ({ tripId, isTripOver }),
    );
  t.strictSame(groupsUnder(access), [
    { tripId: 'trip', isTripOver: true },
    { tripId: undefined, isTripOver: false },
  ]);
  t.strictSame(groupsUnder({ ...running, state: 'active' }), [{ tripId: 'trip', isTripOver: false }]);
});

t.test('without a trip of the driver’s own there is one group, for the driver alone', async (t) => {
  const fixes = [{ seq: 2, recordedAtMs: nowMs, lat: 1, lng: 2 }];
  for (const record of [undefined, null, { ...access, driverId: 'another' }]) {
    const { groups } = acceptFrame({ ...frame, fixes, access: record, memory: createAcceptMemory() });
    t.match(groups, [{ tripId: undefined, run: 7, from: 1, fixes: [{ seq: 2, live: true }], drops: [] }]);
    t.equal(groups.length, 1);
  }
});
