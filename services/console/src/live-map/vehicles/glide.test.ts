import fc from 'fast-check';
import tap from 'tap';
import { type Glide, glideTo, isMoving, placeAt, standAt } from './glide.ts';
import { groundMeters, toWorld, type WorldPoint } from './mercator.ts';

const start = toWorld(41.15, -8.61);
const drive = (input: Partial<Parameters<typeof glideTo>[0]> & { current: Glide; to: WorldPoint }): Glide =>
  glideTo({ headingDegrees: undefined, gapMs: 1000, intervalMs: 1000, nowMs: 0, isMotionReduced: false, ...input });

tap.test('a vehicle moves smoothly to its newest fix and then stands still', async (t) => {
  const to = toWorld(41.1502, -8.61);

  const glide = drive({ current: standAt(start, 0, 0), to });

  t.same({ ...placeAt(glide, 0), headingDegrees: undefined }, { ...start, headingDegrees: undefined });
  const half = placeAt(glide, glide.durationMs / 2);
  t.ok(Math.abs(groundMeters(start, half) - groundMeters(half, to)) < 0.01);
  for (const laterMs of [glide.durationMs, 10_000, 3_600_000]) {
    const { x, y } = placeAt(glide, laterMs);
    t.same({ x, y }, to, `at ${laterMs} ms`);
  }
  t.notOk(isMoving(glide, glide.durationMs));
});

tap.test('whatever fixes come, the symbol is never drawn ahead of the newest one', async (t) => {
  const step = fc.record({ north: fc.integer({ min: 0, max: 40 }), waitMs: fc.integer({ min: 0, max: 4000 }) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      let glide = standAt(start, 0, 0);
      let nowMs = 0;
      let lat = 41.15;
      for (const { north, waitMs } of steps) {
        nowMs += waitMs;
        lat += north / 111_000;
        glide = drive({ current: glide, to: toWorld(lat, -8.61), gapMs: waitMs, nowMs });
        for (const share of [0, 0.3, 0.9, 1, 7]) {
          const shown = placeAt(glide, nowMs + share * glide.durationMs);
          t.ok(shown.y >= glide.to.y - 1e-15);
        }
      }
    }),
    { numRuns: 200 },
  );
});

tap.test('a long silence, a leap and reduced motion are shown as jumps', async (t) => {
  const near = toWorld(41.1502, -8.61);
  const current = standAt(start, 0, 0);

  t.equal(drive({ current, to: near, gapMs: 30_000 }).durationMs, 0);
  t.equal(drive({ current, to: toWorld(41.2, -8.61) }).durationMs, 0);
  t.equal(drive({ current, to: near, isMotionReduced: true }).durationMs, 0);
});

tap.test('a vehicle that reports more seldom than the others is not shown far behind', async (t) => {
  const step = { current: standAt(start, 0, 0), to: toWorld(41.1502, -8.61), gapMs: 15_000 };

  t.equal(drive({ ...step, intervalMs: 1_000 }).durationMs, 10_000);
  t.ok(drive({ ...step, intervalMs: 15_000 }).durationMs > 15_000, 'unless all do');
});

tap.test('the arrow turns the shorter way round', async (t) => {
  const glide = drive({ current: standAt(start, 350, 0), to: toWorld(41.1502, -8.61), headingDegrees: 20 });

  const headings = [0.1, 0.2, 0.3].map((share) => placeAt(glide, share * glide.durationMs).headingDegrees ?? 0);

  for (const heading of headings) t.ok(heading > 350 || heading < 20, `${heading}`);
});

tap.test('without a heading the way driven gives it, unless the vehicle hardly moved', async (t) => {
  const current = standAt(start, undefined, 0);

  t.ok(Math.abs((drive({ current, to: toWorld(41.15, -8.6095) }).toHeadingDegrees ?? 0) - 90) < 0.1);
  t.equal(drive({ current, to: toWorld(41.15001, -8.61) }).toHeadingDegrees, undefined);
});
