import tap from 'tap';
import { toChart } from './chart-series.ts';

tap.test('time without answers is a hole in the line', async (t) => {
  const samples = [0, 3_000, 30_000].map((atMs) => ({ atMs, connections: atMs / 1_000 }));

  t.same(toChart(samples), [
    [0, 3, 29.999, 30],
    [0, 3, null, 30],
  ]);
  t.same(toChart([]), [[], []]);
});
