import type { TrackFix } from '@hushryd/contracts/http/trips';
import fc from 'fast-check';
import tap from 'tap';
import { shapeTrack, speedClassesKmh, speedClassOf } from './track-shape.ts';

const fixAt = (seconds: number, more: Partial<TrackFix> = {}): TrackFix => ({
  run: 1,
  seq: seconds + 1,
  recordedAt: new Date(1_700_000_000_000 + seconds * 1000).toISOString(),
  lat: 41.15 + seconds * 1e-4,
  lng: -8.61,
  ...more,
});

tap.test('neighbouring fixes of one class of speed are one stretch', async (t) => {
  const fixes = [fixAt(0), fixAt(1, { speedMps: 5 }), fixAt(2, { speedMps: 6 }), fixAt(3, { speedMps: 20 })];

  t.same(shapeTrack(fixes).stretches, [
    { from: 0, to: 2, speedClass: speedClassOf(5) },
    { from: 2, to: 3, speedClass: speedClassOf(20) },
  ]);
});

tap.test('a silence is a gap, and is not part of the distance', async (t) => {
  const fixes = [fixAt(0), fixAt(1), fixAt(2), fixAt(120), fixAt(121)];

  const { gaps, distanceMeters, durationMs, stretches } = shapeTrack(fixes);

  t.same(gaps, [{ from: 2, to: 3, durationMs: 118_000 }]);
  t.ok(Math.abs(distanceMeters - 33.4) < 0.5, `${distanceMeters}`);
  t.equal(durationMs, 121_000);
  t.equal(stretches.length, 2, 'no stretch crosses the gap');
});

tap.test('what is usual for a vehicle is not a gap', async (t) => {
  const everyQuarterMinute = [0, 15, 30, 45, 60].map((seconds) => fixAt(seconds));

  t.same(shapeTrack(everyQuarterMinute).gaps, []);
});

tap.test('every step of a track is drawn once: in a stretch or as a gap', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.record({ wait: fc.integer({ min: 1, max: 200 }), speedMps: fc.nat(40) })), (steps) => {
      let seconds = 0;
      const fixes = steps.map(({ wait, speedMps }) => {
        seconds += wait;
        return fixAt(seconds, { speedMps });
      });

      const { stretches, gaps } = shapeTrack(fixes);

      const drawn = [...stretches, ...gaps].flatMap(({ from, to }) =>
        Array.from({ length: to - from }, (_, index) => from + index),
      );
      t.same(
        drawn.sort((one, other) => one - other),
        fixes.slice(1).map((_, index) => index),
      );
    }),
  );
});

tap.test('without a speed from the phone the step gives it', async (t) => {
  const { points } = shapeTrack([fixAt(0), fixAt(1)]);

  t.equal(points[0]?.speedMps, undefined);
  t.ok(Math.abs((points[1]?.speedMps ?? 0) - 11.1) < 0.2);
});

tap.test('no track at all has no shape', async (t) => {
  t.same(shapeTrack([]), { points: [], stretches: [], gaps: [], distanceMeters: 0, durationMs: 0 });
});

tap.test('classes of speed begin at their edges', async (t) => {
  for (const [index, edge] of speedClassesKmh.entries()) t.equal(speedClassOf(edge / 3.6 + 1e-9), index);
  t.equal(speedClassOf(-1), 0);
});
