import type { Position } from '@hushryd/contracts/fix';
import fc from 'fast-check';
import tap from 'tap';
import { createVehicleStore } from './vehicle-store.ts';

const at = (driverId: string, seq: number, more: Partial<Position> = {}): Position => ({
  driverId,
  state: 'available',
  run: 1,
  seq,
  recordedAtMs: seq * 1000,
  lat: 41.15 + seq * 1e-4,
  lng: -8.61,
  ...more,
});
const live = (changed: Position[], gone: string[] = []) => ({ changed, gone, isSnapshot: false, isComplete: false });
const snapshot = (changed: Position[], isComplete: boolean) => ({ changed, gone: [], isSnapshot: true, isComplete });
const create = (maxVehicles?: number) =>
  createVehicleStore({
    intervalMs: 1000,
    isMotionReduced: () => false,
    now: () => 0,
    ...(maxVehicles === undefined ? {} : { maxVehicles }),
  });
const ids = (store: ReturnType<typeof create>) => [...store.values()].map(({ position }) => position.driverId).sort();

tap.test('a snapshot of several parts replaces what was there, at its end and not before', async (t) => {
  const store = create();
  store.apply(snapshot([at('a', 1), at('b', 1)], true));

  store.apply(snapshot([at('b', 2)], false));
  t.same(ids(store), ['a', 'b'], 'a is kept while the snapshot still comes');
  store.apply(snapshot([at('c', 1)], true));

  t.same(ids(store), ['b', 'c']);
  t.equal(store.isLoaded, true);
});

tap.test('a snapshot cut short by a reconnect leaves nothing of itself behind', async (t) => {
  const store = create();
  store.apply(snapshot([at('a', 1), at('b', 1)], true));
  store.apply(snapshot([at('a', 1)], false));

  store.expectSnapshot();
  store.apply(snapshot([at('b', 1)], true));

  t.same(ids(store), ['b']);
});

tap.test('in whatever order positions come, the newest by run and seq stays', async (t) => {
  const positions = fc.array(fc.record({ run: fc.integer({ min: 1, max: 3 }), seq: fc.integer({ min: 1, max: 20 }) }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(positions, (orders) => {
      const store = create();
      for (const { run, seq } of orders) store.apply(live([at('a', seq, { run })]));
      const newest = orders.reduce((best, one) =>
        one.run > best.run || (one.run === best.run && one.seq > best.seq) ? one : best,
      );
      t.match(store.get('a')?.position, newest);
    }),
  );
});

tap.test('a change of state without a new fix changes the state and moves nothing', async (t) => {
  const store = create();
  store.apply(live([at('a', 1)]));
  store.apply(live([at('a', 2)]));
  const glide = store.get('a')?.glide;

  store.apply(live([at('a', 2, { state: 'on_trip', tripId: 't1' })]));

  t.equal(store.get('a')?.glide, glide);
  t.equal(store.findByTrip('t1')?.position.driverId, 'a');
});

tap.test('the store is bounded, and says what it does not show', async (t) => {
  const store = create(2);
  store.apply(live([at('a', 1), at('b', 1), at('c', 1), at('c', 2)]));

  t.same(ids(store), ['a', 'b']);
  t.equal(store.overflowCount, 1);

  store.apply(live([], ['a', 'c']));
  t.equal(store.overflowCount, 0);
  t.equal(store.size, 1);
});

tap.test('a pinned vehicle stays while the map leaves it out, and no longer', async (t) => {
  const store = create();
  store.apply(snapshot([at('a', 1), at('b', 1)], true));
  store.pin('a');
  store.apply(live([], ['a']));
  store.movePinned(at('a', 2));
  store.movePinned(at('b', 2));
  t.match(store.get('a')?.position, { seq: 2 });
  t.match(store.get('b')?.position, { seq: 1 }, 'only the pinned one is moved from beside the map');

  store.apply(snapshot([], true));
  t.same(ids(store), ['a']);
  store.pin('c');
  store.movePinned(at('c', 1));
  t.same(ids(store), ['c'], 'one that the map never showed');
  store.apply(live([at('c', 2)]));
  store.pin(undefined);
  t.same(ids(store), ['c'], 'now the map shows it');
  store.apply(live([], ['c']));
  t.same(ids(store), []);

  store.pin('d');
  store.movePinned(at('d', 1));
  store.movePinned(undefined);
  t.same(ids(store), [], 'its driver has gone');
});

tap.test('listeners hear what moved, and only that', async (t) => {
  const store = create();
  const heard: string[][] = [];
  const stop = store.subscribe((changed) => heard.push(changed.map(({ driverId }) => driverId)));

  store.apply(live([at('a', 2), at('b', 2)]));
  store.apply(live([at('a', 1), at('b', 3)]));
  stop();
  store.apply(live([at('a', 9)]));

  t.same(heard, [['a', 'b'], ['b']]);
});
