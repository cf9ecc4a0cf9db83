import type { Position } from '@hushryd/contracts/fix';
import t from 'tap';
import { createFleetTable } from './fleet-table.ts';

const fleet = (count: number, lat: number): Position[] =>
  Array.from({ length: count }, (_, index) => ({
    driverId: `driver-${index}`,
    state: 'available',
    run: 1,
    seq: 1,
    recordedAtMs: 1,
    lat,
    lng: index / 1e5,
  }));

t.test('a table that is being filled shows the whole fleet of before, and then the whole of now', async (t) => {
  const table = createFleetTable();
  const count = () => {
    const seen: Position[] = [];
    for (const _ of table.select({}, (position) => seen.push(position)));
    return { seen: seen.length, lats: new Set(seen.map(({ lat }) => lat)).size };
  };
  for (const _ of table.fill(fleet(10_000, 41)));
  t.strictSame(count(), { seen: 10_000, lats: 1 });

  const filling = table.fill(fleet(6_000, 42));
  filling.next();
  t.strictSame(count(), { seen: 10_000, lats: 1 });
  table.clear();
  t.strictSame(count(), { seen: 0, lats: 0 });
  for (const _ of filling);
  t.strictSame(count(), { seen: 6_000, lats: 1 });
});
