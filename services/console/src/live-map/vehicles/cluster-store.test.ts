import type { MapCluster } from '@hushryd/contracts/realtime/server-frames';
import tap from 'tap';
import { createClusterStore } from './cluster-store.ts';

const cluster = (id: string, count: number): MapCluster => ({ id, lat: 1, lng: 2, count, states: { on_trip: count } });
const part = { gone: [], isSnapshot: true, isComplete: false };

tap.test('a snapshot replaces the clusters at its end, and what comes later changes them', async (t) => {
  const store = createClusterStore();
  let heard = 0;
  store.subscribe(() => {
    heard += 1;
  });
  store.apply({ ...part, changed: [cluster('a', 3)], isComplete: true });
  store.apply({ ...part, changed: [cluster('b', 4)] });
  t.strictSame([store.vehicleCount, heard], [3, 1], 'the old ones stay while new ones come');
  store.apply({ ...part, changed: [cluster('c', 5)], isComplete: true });
  t.strictSame([store.size, store.vehicleCount, store.countOf('on_trip'), store.countOf('off')], [2, 9, 9, 0]);

  store.apply({ changed: [cluster('c', 6)], gone: ['b'], isSnapshot: false, isComplete: false });
  t.same([...store.values()], [cluster('c', 6)]);
  store.clear();
  t.strictSame([store.size, heard], [0, 4]);
});

tap.test('a snapshot that another filter cut short leaves nothing behind', async (t) => {
  const store = createClusterStore();
  store.apply({ ...part, changed: [cluster('a', 3)] });
  store.expectSnapshot();
  store.apply({ ...part, changed: [cluster('b', 4)], isComplete: true });

  t.same([...store.values()], [cluster('b', 4)]);
});
