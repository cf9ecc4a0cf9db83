import tap from 'tap';
import { centreFor } from './follow-vehicle.ts';

tap.test('a followed vehicle stands in the middle of what panels leave free', async (t) => {
  const place = { x: 0.5, y: 0.5 };

  const centre = centreFor(place, { top: 0, right: 300, bottom: 100, left: 0 }, 1000);

  t.same(centre, { x: 0.65, y: 0.55 }, 'so the vehicle is 150 px left of the centre and 50 px above it');
  t.same(centreFor(place, { top: 0, right: 0, bottom: 0, left: 0 }, 1000), place);
});
