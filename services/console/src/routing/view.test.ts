import { driverStates } from '@hushryd/contracts/fix';
import fc from 'fast-check';
import tap from 'tap';
import { endedStates, formatView, listFilters, parseView, type View } from './view.ts';

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const selection = fc.oneof(
  fc.record({ kind: fc.constant('driver' as const), id }),
  fc.record({ kind: fc.constant('trip' as const), id }),
);
const camera = fc.record({
  lat: fc.integer({ min: -8_500_000, max: 8_500_000 }).map((units) => units / 1e5),
  lng: fc.integer({ min: -18_000_000, max: 18_000_000 }).map((units) => units / 1e5),
  zoom: fc.integer({ min: 0, max: 2000 }).map((units) => units / 100),
});
const mapView = fc.record(
  {
    room: fc.constant('map' as const),
    selection,
    camera,
    isFollowing: fc.constant(true),
    list: fc.constantFrom(...listFilters),
    states: fc.subarray([...driverStates], { minLength: 1 }),
    text: fc
      .string({ minLength: 1, maxLength: 64 })
      .map((text) => text.trim())
      .filter((text) => text !== ''),
    isTrackPlain: fc.constant(true),
    replayAtMs: fc.integer({ min: 1, max: 4_102_444_800_000 }),
  },
  { requiredKeys: ['room', 'selection'] },
);
const sosView = fc.record(
  { room: fc.constant('sos' as const), alertId: id, ended: fc.constantFrom(...endedStates) },
  { requiredKeys: ['room'] },
);
const tripsView = fc.record(
  {
    room: fc.constant('trips' as const),
    query: fc.string({ minLength: 1, maxLength: 64 }),
    state: fc.constantFrom('planned' as const, 'active' as const, 'ended' as const),
  },
  { requiredKeys: ['room'] },
);
const systemView = fc.record({ room: fc.constant('system' as const), userId: id }, { requiredKeys: ['room'] });

tap.test('a view survives its address', async (t) => {
  fc.assert(
    fc.property(fc.oneof<fc.Arbitrary<View>[]>(mapView, sosView, tripsView, systemView), (view) => {
      t.same(parseView(formatView(view)), view);
    }),
    { numRuns: 300 },
  );
});

tap.test('an address that makes no sense still opens the live map', async (t) => {
  for (const fragment of [
    '',
    '#',
    '#/',
    '#/nowhere?x=1',
    '#/map?at=91,0,3',
    '#/map?trip=a%20b',
    '#/map?replay=abc',
    '#/map?state=flying&q=%20',
  ]) {
    t.same(parseView(fragment), { room: 'map' }, fragment);
  }
});

tap.test('an id that cannot be one is not looked up', async (t) => {
  t.same(parseView('#/system?user=a%20b'), { room: 'system' });
  t.same(parseView('#/sos?alert=a%20b&ended=lost'), { room: 'sos' });
});

tap.test('following and replaying need something selected', async (t) => {
  t.same(parseView('#/map?follow=1&replay=1700000000000'), { room: 'map' });
});

tap.test('a camera is written so that a person can read it', async (t) => {
  t.equal(
    formatView({ room: 'map', camera: { lat: 41.15, lng: -8.61, zoom: 13 } }),
    '#/map?at=41.15000,-8.61000,13.00',
  );
});
