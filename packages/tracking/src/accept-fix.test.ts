import type { Fix } from '@hushryd/contracts/fix';
import fc from 'fast-check';
import t from 'tap';
import { type AcceptLimits, acceptFixes, createAcceptMemory } from './accept-fix.ts';

const nowMs = Date.UTC(2026, 5, 1, 12);
const limits: AcceptLimits = {
  maxSpeedKmh: 350,
  maxAccuracyMeters: 200,
  maxFutureMs: 30_000,
  liveMaxAgeMs: 30_000,
  maxFixAgeMs: 86_400_000,
};

const fixAt = (seq: number, changes: Partial<Fix> = {}): Fix => ({
  seq,
  recordedAtMs: nowMs - 10_000 + seq * 1000,
  lat: 41.15,
  lng: -8.61,
  ...changes,
});

const accept = (fixes: Fix[], memory = createAcceptMemory(), tripId?: string) =>
  acceptFixes({ fixes, memory, tripId, nowMs, limits });

const dropReasons: [string, Partial<Fix>, string][] = [
  ['latitude 91', { lat: 91 }, 'out_of_range'],
  ['latitude NaN', { lat: Number.NaN }, 'out_of_range'],
  ['longitude -180.1', { lng: -180.1 }, 'out_of_range'],
  ['a time that is no integer', { recordedAtMs: nowMs + 0.5 }, 'out_of_range'],
  ['a negative accuracy', { accuracyMeters: -1 }, 'out_of_range'],
  ['a heading of 361', { headingDegrees: 361 }, 'out_of_range'],
  ['a battery of 101', { batteryPercent: 101 }, 'out_of_range'],
  ['an accuracy of 201 m', { accuracyMeters: 201 }, 'inaccurate'],
  ['a time 31 s ahead', { recordedAtMs: nowMs + 30_001 }, 'future'],
  ['a time more than a day ago', { recordedAtMs: nowMs - 86_400_001 }, 'too_old'],
];

for (const [what, changes, reason] of dropReasons) {
  t.test(`${what} is dropped as ${reason}`, async (t) => {
    t.strictSame(accept([fixAt(1, changes)]), { accepted: [], drops: [{ seq: 1, reason }] });
  });
}

t.test('the limits themselves are still accepted', async (t) => {
  const edges: Partial<Fix>[] = [
    { lat: 90, lng: 180 },
    { accuracyMeters: 200 },
    { recordedAtMs: nowMs + 30_000 },
    { recordedAtMs: nowMs - 86_400_000 },
  ];
  for (const changes of edges) t.equal(accept([fixAt(1, changes)]).accepted.length, 1);
});

t.test('a fix older than 30 s, or below the newest seq, becomes history only', async (t) => {
  const memory = createAcceptMemory();
  t.equal(accept([fixAt(1, { recordedAtMs: nowMs - 30_001 })]).accepted[0]?.live, false);
  t.strictSame(
    accept([fixAt(5), fixAt(4), fixAt(5), fixAt(6)], memory).accepted.map(({ live }) => live),
    [true, false, false, true],
  );
});

const kmNorth = (km: number) => 41.15 + km / 111.195;

t.test('a jump faster than the limit is dropped, the fix after it is measured from the last one kept', async (t) => {
  const { accepted, drops } = accept([fixAt(1), fixAt(2, { lat: kmNorth(5) }), fixAt(3)]);
  t.strictSame(drops, [{ seq: 2, reason: 'impossible_speed' }]);
  t.strictSame(
    accepted.map(({ seq }) => seq),
    [1, 3],
  );
});

t.test('three fast fixes in a row that agree are believed', async (t) => {
  const there = { lat: kmNorth(5) };
  const { accepted, drops } = accept([fixAt(1), fixAt(2, there), fixAt(3, there), fixAt(4, there), fixAt(5, there)]);
  t.strictSame(
    drops.map(({ seq }) => seq),
    [2, 3],
  );
  t.strictSame(
    accepted.map(({ seq }) => seq),
    [1, 4, 5],
  );
});

t.test('three fast fixes that disagree are not', async (t) => {
  const { drops } = accept([
    fixAt(1),
    fixAt(2, { lat: kmNorth(5) }),
    fixAt(3, { lat: kmNorth(-5) }),
    fixAt(4, { lat: kmNorth(9) }),
  ]);
  t.strictSame(
    drops.map(({ seq }) => seq),
    [2, 3, 4],
  );
});

t.test('a new trip may begin anywhere', async (t) => {
  const memory = createAcceptMemory();
  accept([fixAt(1)], memory, 'first');
  t.equal(accept([fixAt(2, { lat: kmNorth(40) })], memory, 'second').drops.length, 0);
});

t.test('each fix is answered once, kept or dropped, and the newest live seq never falls', async (t) => {
  const anyFix = fc.record({
    seq: fc.integer({ min: 1, max: 30 }),
    recordedAtMs: fc.integer({ min: nowMs - 90_000_000, max: nowMs + 60_000 }),
    lat: fc.double({ min: -95, max: 95 }),
    lng: fc.double({ min: -185, max: 185 }),
    accuracyMeters: fc.double({ min: -10, max: 300 }),
  });
  const property = fc.property(fc.array(fc.array(anyFix, { maxLength: 10 }), { maxLength: 10 }), (frames) => {
    const memory = createAcceptMemory();
    let newestLive = 0;
    for (const fixes of frames) {
      const { accepted, drops } = accept(fixes as Fix[], memory);
      if (accepted.length + drops.length !== fixes.length) return false;
      for (const { seq, live } of accepted) {
        if (live && seq <= newestLive) return false;
        if (live) newestLive = seq;
      }
    }
    return true;
  });
  fc.assert(property, { numRuns: 2000 });
  t.pass('2000 cases');
});

t.test(
  'while history is far behind, fixes that come close to the one before are dropped by name, and only those',
  async (t) => {
    const memory = createAcceptMemory();
    const thin = (fixes: Fix[], thinMs = 3000) => acceptFixes({ fixes, memory, nowMs, limits, thinMs });

    const { accepted, drops } = thin([1, 2, 3, 4, 5, 7, 8].map((seq) => fixAt(seq)));
    t.strictSame(
      accepted.map(({ seq }) => seq),
      [1, 4, 7],
    );
    t.strictSame(
      drops.map(({ seq, reason }) => [seq, reason]),
      [2, 3, 5, 8].map((seq) => [seq, 'thinned']),
    );
    t.strictSame(
      thin([fixAt(6)]).accepted.map(({ seq }) => seq),
      [6],
      'what is sent again is for the script to judge',
    );
    t.strictSame(
      thin([fixAt(9)], 0).accepted.map(({ seq }) => seq),
      [9],
      'and everything once history has caught up',
    );
  },
);
