import tap from 'tap';
import { formatAge, formatAgo, formatDuration } from './format-time.ts';

tap.test('ages are short and never negative', async (t) => {
  const table: [number, string][] = [
    [-500, 'now'],
    [400, 'now'],
    [12_300, '12 s'],
    [59_400, '59 s'],
    [60_000, '1 min'],
    [3_599_000, '59 min'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [200_000_000, '2 d'],
  ];
  for (const [ageMs, text] of table) t.equal(formatAge(ageMs), text);
  t.equal(formatAgo(0), 'now');
  t.equal(formatAgo(4_000), '4 s ago');
});

tap.test('durations read like a stopwatch', async (t) => {
  t.equal(formatDuration(5_000), '0:05');
  t.equal(formatDuration(245_000), '4:05');
  t.equal(formatDuration(3_729_000), '1:02:09');
});
