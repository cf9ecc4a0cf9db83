import type { LocFrame } from '@hushryd/contracts/realtime/client-frames';
import type { AcceptedFix } from '@hushryd/tracking/accept-fix';
import fc from 'fast-check';
import t from 'tap';
import { FrameBudget } from '../connections/frame-budget.ts';
import { groupByTrip } from './group-by-trip.ts';

const seed = Date.now() % 2 ** 31;
t.comment(`fast-check seed ${seed}`);

const startedAtMs = 1_000_000;
const endedAtMs = 2_000_000;
const access = {
  tripId: 'trip-1',
  version: 1,
  state: 'ended' as const,
  driverId: 'driver-1',
  passengerIds: [],
  startedAtMs,
  endedAtMs,
};

t.test('every fix and every drop is in one group, in order, and under the trip only while it ran', async () => {
  const reading = fc.record({ recordedAtMs: fc.integer({ min: 0, max: 3_000_000 }), isDropped: fc.boolean() });
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 30 }), (readings) => {
      const accepted: AcceptedFix[] = [];
      const drops: { seq: number; reason: 'future' }[] = [];
      for (const [index, { recordedAtMs, isDropped }] of readings.entries()) {
        if (isDropped) drops.push({ seq: index + 1, reason: 'future' });
        else accepted.push({ seq: index + 1, recordedAtMs, lat: 1, lng: 2, live: true });
      }
      const frame: LocFrame = { type: 'loc', run: 7, from: 1, tripId: 'trip-1', fixes: accepted };
      const groups = groupByTrip({ frame, driverId: 'driver-1', accepted, drops, access, receivedAtMs: 5 });

      const pieces = groups.map((group) =>
        [...group.fixes.map(({ seq }) => seq), ...group.drops].sort((a, b) => a - b),
      );
      const isInOrder = pieces.flat().every((seq, index) => seq === index + 1);
      const isComplete = pieces.flat().length === readings.length;
      const countsRightly = groups.every((group) =>
        group.fixes.every(({ recordedAtMs }) => {
          const isWithin = recordedAtMs >= startedAtMs - 30_000 && recordedAtMs <= endedAtMs + 30_000;
          return group.tripId === (isWithin ? 'trip-1' : undefined);
        }),
      );
      return isInOrder && isComplete && countsRightly;
    }),
    { seed, numRuns: 1000 },
  );
});

t.test('without a trip of the driver’s own there is one group, for the driver alone', async (t) => {
  const accepted = [{ seq: 2, recordedAtMs: 1_500_000, lat: 1, lng: 2, live: true }];
  const frame: LocFrame = { type: 'loc', run: 7, from: 1, tripId: 'trip-1', fixes: accepted };
  const groups = groupByTrip({ frame, driverId: 'driver-1', accepted, drops: [], access: undefined, receivedAtMs: 5 });
  t.match(groups, [{ tripId: undefined, from: 1, run: 7, fixes: accepted }]);
  t.equal(groups.length, 1);
});

t.test('twenty frames a second pass for ever, in bursts of forty; bad frames are forgiven with time', async (t) => {
  const limits = { maxFramesPerSecond: 20, maxBadFrames: 3 };
  const budget = new FrameBudget(limits, 0);
  let refused = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 50) if (!budget.takeFrame(limits, nowMs)) refused += 1;
  t.equal(refused, 0);

  const burst = new FrameBudget(limits, 0);
  const passed = Array.from({ length: 100 }, () => burst.takeFrame(limits, 1)).filter(Boolean).length;
  t.equal(passed, 40);

  t.same(
    [1, 2, 3, 4].map(() => burst.noteBadFrame(limits)),
    [true, true, true, false],
  );
  burst.takeFrame(limits, 10_000);
  t.equal(burst.noteBadFrame(limits), true, 'forgiven after a while');
});
