import type { Position } from '@hushryd/contracts/fix';
import fc from 'fast-check';
import t from 'tap';
import { distanceMeters } from '../geo/distance.ts';
import { reachBox } from '../geo/reach-box.ts';
import { createNearbyIndex } from './nearby-index.ts';

const seed = Date.now() % 2 ** 31;
t.comment(`fast-check seed ${seed}`);

const positionAt = (driverId: string, lat: number, lng: number, state: Position['state'] = 'available'): Position => ({
  driverId,
  state,
  run: 1,
  seq: 1,
  recordedAtMs: 1,
  lat,
  lng,
});

t.test('nearest gives what looking at every driver would give', async (t) => {
  // Dense and thin places, the equator, near a pole and across the antimeridian.
  const middle = fc.constantFrom([41.15, -8.61], [0, 0], [71.2, 25.7], [-16.8, 179.999]) as fc.Arbitrary<
    [number, number]
  >;
  const scenario = fc.record({
    middle,
    spreadDegrees: fc.constantFrom(0.002, 0.02, 0.3),
    offsets: fc.array(
      fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true })),
      {
        maxLength: 120,
      },
    ),
    radiusMeters: fc.constantFrom(150, 900, 3000, 20_000),
    limit: fc.integer({ min: 1, max: 12 }),
    tieMeters: fc.constantFrom(0, 16, 200),
  });
  const property = fc.property(scenario, ({ middle: [lat, lng], spreadDegrees, offsets, ...query }) => {
    const { radiusMeters, limit, tieMeters } = query;
    const index = createNearbyIndex();
    const positions = offsets.map(([dLat, dLng], i) => {
      const wrapped = ((lng + dLng * spreadDegrees + 540) % 360) - 180;
      return positionAt(`d${i}`, lat + dLat * spreadDegrees, wrapped, i % 3 === 0 ? 'on_trip' : 'available');
    });
    for (const position of positions) index.upsert(position);

    const isFree = (position: Position) => position.state === 'available';
    const expected = positions
      .filter(isFree)
      .map((position) => distanceMeters(lat, lng, position.lat, position.lng))
      .filter((meters) => meters <= radiusMeters)
      .sort((a, b) => a - b)
      .filter((meters, rank, all) => rank < limit || (tieMeters > 0 && meters <= (all[limit - 1] ?? 0) + tieMeters));
    const found = index.nearest({ lat, lng, ...query, accept: isFree });
    t.strictSame(
      found.map((neighbour) => neighbour.distanceMeters),
      expected,
    );
  });
  fc.assert(property, { seed, numRuns: 1000 });
});

t.test('a driver who moves is found at the new place only, one who left not at all', async (t) => {
  const index = createNearbyIndex();
  index.upsert(positionAt('a', 41.15, -8.61));
  index.upsert(positionAt('b', 41.15, -8.61));
  index.upsert(positionAt('a', 41.3, -8.61));
  index.remove('b');

  t.equal(index.size, 1);
  t.strictSame(index.nearest({ lat: 41.15, lng: -8.61, radiusMeters: 3000, limit: 5 }), []);
  const [found] = index.nearest({ lat: 41.3, lng: -8.61, radiusMeters: 3000, limit: 5 });
  t.equal(found?.position.driverId, 'a');
});

t.test('whoever comes, moves and leaves, the index holds what a plain list would', async (t) => {
  const place = fc.record({
    lat: fc.double({ min: 41.1, max: 41.2, noNaN: true }),
    lng: fc.double({ min: -8.7, max: -8.6, noNaN: true }),
  });
  const step = fc.record({ driver: fc.integer({ min: 0, max: 8 }), place: fc.option(place, { nil: undefined }) });
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const index = createNearbyIndex();
    const model = new Map<string, Position>();
    for (const { driver, place } of steps) {
      const driverId = `d${driver}`;
      if (place === undefined) {
        index.remove(driverId);
        model.delete(driverId);
      } else {
        index.upsert(positionAt(driverId, place.lat, place.lng));
        model.set(driverId, positionAt(driverId, place.lat, place.lng));
      }
    }

    const found = index.nearest({ lat: 41.15, lng: -8.65, radiusMeters: 30_000, limit: 20 });

    t.strictSame(
      found.map(({ position }) => position).sort((a, b) => a.driverId.localeCompare(b.driverId)),
      [...model.values()].sort((a, b) => a.driverId.localeCompare(b.driverId)),
    );
    t.equal(index.size, model.size);
  });
  fc.assert(property, { seed, numRuns: 1000 });
});

t.test('nothing within reach lies outside its box', async (t) => {
  const place = (lats: [number, number]) =>
    fc.record({
      lat: fc.double({ min: lats[0], max: lats[1], noNaN: true }),
      lng: fc.double({ min: -180, max: 180, noNaN: true }),
    });
  const pair = fc.oneof(
    fc.tuple(place([-90, 90]), place([-90, 90])),
    fc.tuple(place([89.5, 90]), place([89.5, 90])),
    fc.tuple(place([41, 41.1]), place([41, 41.1])),
  );
  const property = fc.property(pair, ([from, to]) => {
    const box = reachBox(from.lat, distanceMeters(from.lat, from.lng, to.lat, to.lng));
    const lngDegrees = Math.abs(to.lng - from.lng);

    t.ok(Math.abs(to.lat - from.lat) <= box.latDegrees, `latitude of ${JSON.stringify([from, to])}`);
    t.ok(Math.min(lngDegrees, 360 - lngDegrees) <= box.lngDegrees, `longitude of ${JSON.stringify([from, to])}`);
  });
  fc.assert(property, { seed, numRuns: 1000 });
});
