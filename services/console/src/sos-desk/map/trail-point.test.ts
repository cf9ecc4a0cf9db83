import type { TrailPoint as ToldPoint } from '@hushryd/contracts/http/sos-trail';
import fc from 'fast-check';
import tap from 'tap';
import { maxTrailPoints, mergeTrail, type TrailPoint } from './trail-point.ts';

const told = (source: ToldPoint['source'], second: number): ToldPoint => ({
  source,
  lat: 41,
  lng: -8,
  recordedAt: new Date(second * 1000).toISOString(),
});

tap.test('however points come, often and in any order, the trail is the same', async (t) => {
  const all = [told('driver', 1), told('person', 1), told('driver', 2), told('person', 4)];
  const wanted = mergeTrail([], all);
  t.equal(wanted.length, 4, 'two phones may speak in the same moment');
  fc.assert(
    fc.property(fc.array(fc.shuffledSubarray(all, { minLength: 1 }), { maxLength: 6 }), (frames) => {
      let trail: readonly TrailPoint[] = [];
      for (const frame of [...frames, all]) trail = mergeTrail(trail, frame);
      t.same(
        trail.map(({ recordedAtMs }) => recordedAtMs),
        [1000, 1000, 2000, 4000],
      );
      t.equal(mergeTrail(trail, all), trail, 'nothing new, nothing drawn anew');
    }),
    { numRuns: 50 },
  );
});

tap.test('the newest points stay', async (t) => {
  const many = Array.from({ length: maxTrailPoints + 5 }, (_, index) => told('driver', index));
  const trail = mergeTrail([], many);
  t.equal(trail.length, maxTrailPoints);
  t.equal(trail[0]?.recordedAtMs, 5000);
});
