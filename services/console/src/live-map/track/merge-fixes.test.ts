import type { TrackFix } from '@hushryd/contracts/http/trips';
import tap from 'tap';
import { mergeFixes, toTrackFix } from './merge-fixes.ts';

const fix = (seq: number, lat = 41): TrackFix => ({
  run: 1,
  seq,
  recordedAt: new Date(seq * 1000).toISOString(),
  lat,
  lng: -8,
});

tap.test('live fixes join the stored ones, each once and in order', async (t) => {
  const merged = mergeFixes([fix(1), fix(2), fix(4)], [fix(2, 50), fix(3), fix(5)]);

  t.same(
    merged.map(({ seq, lat }) => [seq, lat]),
    [
      [1, 41],
      [2, 41],
      [3, 41],
      [4, 41],
      [5, 41],
    ],
  );
});

tap.test('nothing new leaves the stored track as it is', async (t) => {
  const stored = [fix(1), fix(2)];

  t.equal(mergeFixes(stored, []), stored);
  t.equal(mergeFixes(stored, [fix(2)]), stored);
});

tap.test('a position becomes a fix without inventing what it does not know', async (t) => {
  const position = { driverId: 'd', state: 'on_trip' as const, run: 1, seq: 7, recordedAtMs: 7000, lat: 1, lng: 2 };

  t.strictSame(toTrackFix(position), { run: 1, seq: 7, recordedAt: '1970-01-01T00:00:07.000Z', lat: 1, lng: 2 });
});
