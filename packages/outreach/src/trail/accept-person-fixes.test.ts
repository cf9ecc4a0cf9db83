import type { Fix } from '@hushryd/contracts/fix';
import fc from 'fast-check';
import t from 'tap';
import { acceptPersonFixes, type PersonFix, personFixParts } from './accept-person-fixes.ts';

const nowMs = 1_800_000_000_000;
const limits = { maxFixAgeMs: 86_400_000 };
const fix: Fix = { seq: 1, recordedAtMs: nowMs, lat: 41, lng: -8 };
const accept = (fixes: readonly unknown[], receivedMs = nowMs) =>
  acceptPersonFixes({ fixes, limits, nowMs: receivedMs });

t.test('of a person in danger every place counts that can be one', async (t) => {
  const verdictOf = (changes: object) => {
    const { accepted, drops } = accept([{ ...fix, ...changes }]);
    return accepted.length === 1 ? 'kept' : drops[0]?.reason;
  };

  t.equal(verdictOf({ accuracyMeters: 5_000 }), 'kept');
  t.equal(verdictOf({ recordedAtMs: nowMs - 3_600_000 }), 'kept');
  t.equal(verdictOf({ recordedAtMs: nowMs + 3_600_000 }), 'kept');
  t.equal(verdictOf({ recordedAtMs: nowMs - 0.5 }), 'kept');
  t.equal(verdictOf({ recordedAtMs: nowMs - 86_400_001 }), 'too_old');
  t.equal(verdictOf({ recordedAtMs: null }), 'out_of_range');
  t.equal(verdictOf({ recordedAtMs: Number.POSITIVE_INFINITY }), 'out_of_range');
  t.equal(verdictOf({ lat: 91 }), 'out_of_range');
  t.equal(verdictOf({ lng: '8' }), 'out_of_range');
});

t.test('what a phone does not know, or we do not, is left out of a fix that is kept', async (t) => {
  const known = { accuracyMeters: 12, speedMps: 3, headingDegrees: 90, batteryPercent: 50 };
  t.same(accept([{ ...fix, ...known }]), { accepted: [{ ...fix, ...known }], drops: [], changed: [] });

  const unknown = { accuracyMeters: -1, speedMps: -1, headingDegrees: null, batteryPercent: 'low', altitude: 7 };
  t.same(accept([{ ...fix, ...unknown }]), {
    accepted: [fix],
    drops: [],
    changed: ['accuracyMeters', 'speedMps', 'headingDegrees', 'batteryPercent', 'other'],
  });
});

t.test('one that cannot be read takes none of the others with it', async (t) => {
  const { accepted, drops, changed } = accept([null, { ...fix, seq: 0 }, { seq: 2 }, 'x', [], { ...fix, seq: 3 }]);

  t.same(accepted, [{ ...fix, seq: 3 }]);
  t.same(drops, [{ seq: 2, reason: 'out_of_range' }]);
  t.same(changed, ['fix', 'fix', 'fix', 'fix']);
});

t.test(
  'a phone whose clock is ahead has its trail, at the time of receipt and in the order of its numbers',
  async (t) => {
    const secondsAhead = (...seconds: number[]) =>
      seconds.map((second, index) => ({ ...fix, seq: index + 1, recordedAtMs: nowMs + second * 1_000 }));
    const timesOf = (fixes: readonly PersonFix[]) => fixes.map(({ recordedAtMs }) => recordedAtMs - nowMs);

    const { accepted, changed } = accept(secondsAhead(-2, 3_598, 3_599, 3_600));
    t.same(timesOf(accepted), [-2_000, -2, -1, 0]);
    t.same(
      accepted.map(({ phoneTimeMs }) => phoneTimeMs),
      [undefined, nowMs + 3_598_000, nowMs + 3_599_000, nowMs + 3_600_000],
    );
    t.equal(changed.filter((part) => part === 'recordedAtMs').length, 3);
    t.same(
      timesOf(accept(secondsAhead(-1, 0, 1, 2)).accepted),
      [-1_000, -2, -1, 0],
      'also where it is ahead by little',
    );
    t.same(timesOf(accept(secondsAhead(-3, 3_600, -1)).accepted), [-3_000, 0, -1_000], 'one bad time moves no other');
  },
);

const anything = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom<unknown>(-1, 1e308, 9e15, null));
const anyFix = fc.oneof(
  anything,
  fc.record(
    {
      seq: fc.oneof(fc.integer({ min: 1, max: 200 }), anything),
      recordedAtMs: fc.oneof(fc.integer({ min: nowMs - 90_000_000, max: nowMs + 90_000_000 }), anything),
      lat: fc.oneof(fc.double({ min: -90, max: 90, noNaN: true }), anything),
      lng: fc.oneof(fc.double({ min: -180, max: 180, noNaN: true }), anything),
      accuracyMeters: anything,
      speedMps: anything,
      batteryPercent: anything,
      note: anything,
    },
    { requiredKeys: [] },
  ),
);

t.test(
  'any JSON whatever is judged: each number is answered once for each time it came, in time and with a place',
  async () => {
    fc.assert(
      fc.property(fc.array(anyFix, { maxLength: 100 }), (fixes) => {
        const { accepted, drops, changed } = accept(fixes);
        const numbered = fixes.length - changed.filter((part) => part === 'fix').length;
        return (
          accepted.length + drops.length === numbered &&
          changed.every((part) => personFixParts.includes(part)) &&
          accepted.every(
            ({ recordedAtMs, lat, lng, accuracyMeters = 0 }) =>
              Number.isInteger(recordedAtMs) &&
              recordedAtMs <= nowMs &&
              recordedAtMs >= nowMs - limits.maxFixAgeMs &&
              Math.abs(lat) <= 90 &&
              Math.abs(lng) <= 180 &&
              accuracyMeters >= 0,
          )
        );
      }),
      { numRuns: 1_000 },
    );
  },
);

t.test('a phone ahead by whatever it is: over all its batches no earlier fix is later on the trail', async () => {
  const batches = fc.array(
    fc.record({ count: fc.integer({ min: 1, max: 20 }), delayMs: fc.integer({ min: 0, max: 60_000 }) }),
    {
      minLength: 1,
      maxLength: 10,
    },
  );
  fc.assert(
    fc.property(batches, fc.integer({ min: 0, max: 90_000_000 }), (sent, aheadMs) => {
      let seq = 0;
      let atMs = nowMs;
      const trail: PersonFix[] = [];
      for (const { count, delayMs } of sent) {
        const fixes = Array.from({ length: count }, () => {
          seq += 1;
          atMs += 1_000;
          return { ...fix, seq, recordedAtMs: atMs + aheadMs };
        });
        atMs += delayMs;
        trail.push(...accept(fixes, atMs).accepted);
      }
      return (
        trail.length === seq &&
        trail.every(({ recordedAtMs }, index) => index === 0 || recordedAtMs > (trail[index - 1]?.recordedAtMs ?? 0))
      );
    }),
  );
});
