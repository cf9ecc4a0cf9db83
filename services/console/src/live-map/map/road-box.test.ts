import fc from 'fast-check';
import tap from 'tap';
import { covers, type RoadView, roadBox } from './road-box.ts';

const view: RoadView = { west: -8.7, south: 41.1, east: -8.5, north: 41.2, zoom: 12 };
const fetched = { ...view, box: { west: -8.77, south: 41.065, east: -8.43, north: 41.235 } };

tap.test('roads are asked for with a margin, and not for a whole country', async (t) => {
  t.same(roadBox(view), { west: -8.77, south: 41.065, east: -8.43, north: 41.235 });
  t.equal(roadBox({ ...view, zoom: 6 }), undefined);
});

tap.test('the box never leaves the world', async (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: -180, max: 179, noNaN: true }),
      fc.double({ min: -85, max: 84, noNaN: true }),
      (west, south) => {
        const box = roadBox({ west, south, east: west + 1, north: south + 1, zoom: 10 });
        t.ok(box && box.west >= -180 && box.east <= 180 && box.south >= -90 && box.north <= 90);
      },
    ),
  );
});

tap.test('a small drag asks nothing, a long one and a closer look do', async (t) => {
  t.equal(covers(fetched, { ...view, west: -8.72, east: -8.52 }), true);
  t.equal(covers(fetched, { ...view, west: -8.9, east: -8.7 }), false);
  t.equal(covers(fetched, { ...view, west: -8.62, east: -8.58, zoom: 14 }), false);
});
