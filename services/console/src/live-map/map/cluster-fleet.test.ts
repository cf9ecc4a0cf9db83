import fc from 'fast-check';
import tap from 'tap';
import { standAt } from '../vehicles/glide.ts';
import type { Vehicle } from '../vehicles/vehicle-store.ts';
import { clusterFleet } from './cluster-fleet.ts';

const view = { west: 0.4, east: 0.6, north: 0.4, south: 0.6, zoom: 3 };
const fleet = (count: number, place: (index: number) => { x: number; y: number }): Vehicle[] =>
  Array.from({ length: count }, (_, index) => ({
    position: { driverId: `d${index}`, state: 'available', run: 1, seq: 1, recordedAtMs: 0, lat: 0, lng: 0 },
    glide: standAt(place(index), undefined, 0),
  }));
const inMiddle = () => ({ x: 0.5, y: 0.5 });
const cluster = (vehicles: Vehicle[], wasClustered = false) => clusterFleet({ vehicles, view, nowMs: 0, wasClustered });

tap.test('up to 2,000 vehicles in view each is shown', async (t) => {
  t.equal(cluster(fleet(2_000, inMiddle)), undefined);
  t.match(cluster(fleet(2_001, inMiddle))?.clusters, [{ count: 2_001 }]);
});

tap.test('what is out of view does not count', async (t) => {
  t.equal(cluster(fleet(3_000, (index) => (index < 1_500 ? { x: 0.5, y: 0.5 } : { x: 0.9, y: 0.5 }))), undefined);
});

tap.test('once clustered it stays so until there are clearly fewer', async (t) => {
  t.ok(cluster(fleet(1_900, inMiddle), true));
  t.equal(cluster(fleet(1_800, inMiddle), true), undefined);
});

tap.test('every vehicle in view is counted once, in a cluster or alone', async (t) => {
  const place = fc.record({
    x: fc.double({ min: 0.4, max: 0.6, noNaN: true }),
    y: fc.double({ min: 0.4, max: 0.6, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 60 }), (places) => {
      const vehicles = [...fleet(2_001, inMiddle), ...fleet(places.length, (index) => places[index] ?? inMiddle())];
      const { clusters = [], lone = new Set() } = cluster(vehicles) ?? {};
      const counted = clusters.reduce((sum, { count }) => sum + count, 0);
      t.equal(counted + lone.size, vehicles.length);
      t.ok(clusters.every(({ count }) => count > 1));
    }),
    { numRuns: 50 },
  );
});
