import { createFakeClock } from '@hushryd/platform/testing/clock';
import { test } from 'tap';
import { createHistoryPaces } from './history-paces.ts';

test('a pace holds while workers repeat it, and ends also where nobody says so', (t) => {
  const clock = createFakeClock();
  const paces = createHistoryPaces((driverId) => (driverId === 'dora' ? 3 : 4), clock.now);
  const free = { cadenceMs: 0, thinMs: 0 };
  const thinned = { cadenceMs: 5_000, thinMs: 5_000 };

  for (let said = 0; said < 10; said += 1) {
    paces.onPace(3, thinned);
    clock.advance(2_000);
    t.strictSame(paces.paceOf('dora'), thinned);
  }
  t.strictSame(paces.paceOf('emil'), free, 'another partition');

  // The worker that would have said "none" was killed.
  clock.advance(9_000);
  t.strictSame(paces.paceOf('dora'), free);

  paces.onPace(3, thinned);
  paces.onPace(3, free);
  t.strictSame(paces.paceOf('dora'), free);
  t.end();
});
