import type { Position } from '@hushryd/contracts/fix';
import type { Identity } from '@hushryd/platform/auth/claims';
import fc from 'fast-check';
import t from 'tap';
import { distanceMeters } from '../geo/distance.ts';
import { createNearbyDrivers } from './nearby-drivers.ts';
import { createNearbyIndex } from './nearby-index.ts';

const nowMs = Date.UTC(2026, 2, 1, 8);
const rider: Identity = {
  userId: 'rita',
  role: 'rider',
  tokenId: 't',
  issuedAtMs: 1,
  expiresAtMs: 1e15,
  audience: 'user',
};
const operator: Identity = {
  userId: 'olga',
  role: 'operator',
  tokenId: 't',
  issuedAtMs: 1,
  expiresAtMs: 1e15,
  audience: 'admin',
};
const gridDegrees = 1e-4;

interface Place {
  lat: number;
  lng: number;
}

function ask(places: readonly Place[]) {
  const nearby = createNearbyIndex();
  for (const [index, place] of places.entries()) {
    const position: Position = {
      driverId: `driver-${index}`,
      state: 'available',
      run: 1,
      seq: 1,
      recordedAtMs: nowMs,
      ...place,
    };
    nearby.upsert(position);
  }
  const passingIds = { current: async () => (driverId: string) => `passing-${driverId}` };
  return createNearbyDrivers({ nearby, livePositions: { isRead: true }, passingIds, now: () => nowMs });
}

/** A driver's square of the rounding grid near a corner of Porto, and two places inside of it. */
const inSquare = fc.double({ min: -0.49, max: 0.49, noNaN: true });
const moved = fc
  .record({ row: fc.integer({ min: -12, max: 12 }), column: fc.integer({ min: -12, max: 12 }) })
  .chain(({ row, column }) => {
    const place = fc.record({ up: inSquare, right: inSquare }).map(({ up, right }) => ({
      lat: 41.15 + (row + up) * gridDegrees,
      lng: -8.61 + (column + right) * gridDegrees,
    }));
    return fc.record({ before: place, after: place });
  });

const question = fc.record({
  lat: fc.double({ min: 41.147, max: 41.153, noNaN: true }),
  lng: fc.double({ min: -8.614, max: -8.606, noNaN: true }),
  radiusMeters: fc.integer({ min: 1, max: 700 }),
  limit: fc.integer({ min: 1, max: 12 }),
});

t.test('no question of a rider tells more than the rounded places do', async (t) => {
  const property = fc.asyncProperty(
    fc.array(moved, { minLength: 1, maxLength: 25 }),
    fc.array(question, { minLength: 1, maxLength: 20 }),
    async (drivers, questions) => {
      const before = ask(drivers.map((driver) => driver.before));
      const after = ask(drivers.map((driver) => driver.after));
      for (const asked of questions) {
        const [one, other] = await Promise.all([before(rider, asked), after(rider, asked)]);
        if (JSON.stringify(one) !== JSON.stringify(other)) return false;
      }
      return true;
    },
  );
  const { failed, counterexample, seed } = await fc.check(property, { numRuns: 300 });
  t.notOk(failed, `seed ${seed}: ${JSON.stringify(counterexample)}`);
});

t.test('a rider gets the nearest rounded places, all within the radius', async (t) => {
  const property = fc.asyncProperty(fc.array(moved, { maxLength: 25 }), question, async (drivers, asked) => {
    const { drivers: found } = await ask(drivers.map(({ before }) => before))(rider, asked);
    const withinMeters = Math.ceil(asked.radiusMeters / 100) * 100;
    const expected = drivers
      .map(({ before }) => {
        const [lat, lng] = [Math.round(before.lat * 1e4) / 1e4, Math.round(before.lng * 1e4) / 1e4];
        return distanceMeters(asked.lat, asked.lng, lat, lng);
      })
      .filter((meters) => meters <= withinMeters)
      .sort((one, other) => one - other)
      .slice(0, Math.min(10, asked.limit))
      .map(Math.round);
    const distances = found.map(({ distanceMeters }) => distanceMeters);
    return JSON.stringify(distances) === JSON.stringify(expected);
  });
  const { failed, counterexample, seed } = await fc.check(property, { numRuns: 300 });
  t.notOk(failed, `seed ${seed}: ${JSON.stringify(counterexample)}`);
});

t.test('shrinking circles find a driver to 100 m for riders and exactly for operators', async (t) => {
  const here = { lat: 41.15, lng: -8.61 };
  const nearbyDrivers = ask([{ lat: 41.1503, lng: -8.61 }]);
  const radii = Array.from({ length: 100 }, (_, index) => index + 1);
  const count = async (identity: Identity) => {
    const answers = await Promise.all(radii.map((radiusMeters) => nearbyDrivers(identity, { ...here, radiusMeters })));
    return answers.filter(({ drivers }) => drivers.length === 1).length;
  };
  t.equal(await count(rider), 100, 'every radius up to 100 m is 100 m');
  t.equal(await count(operator), 67, 'from 34 m on');
});
