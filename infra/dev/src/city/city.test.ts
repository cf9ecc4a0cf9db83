import fc from 'fast-check';
import t from 'tap';
import { createDrive, type Motion } from './drive-route.ts';
import { cruisingMps, findRoute } from './find-route.ts';
import { type City, generateCity } from './generate-city.ts';
import { createGpsNoise } from './gps-noise.ts';
import { distanceBetween, distanceToLine, lengthOf } from './polyline.ts';
import { createRandom } from './random.ts';
import { largestPart } from './street-network.ts';
import { streetsGeoJson } from './streets-geojson.ts';
import { isGreen } from './traffic-lights.ts';

const city = generateCity(1);

/** A route between two random junctions that are some way apart. */
function someRoute(city: City, seed: number) {
  const random = createRandom(seed);
  for (;;) {
    const route = findRoute(
      city,
      random.below(city.network.junctions.length),
      random.below(city.network.junctions.length),
    );
    if (route && route.lengthMeters > 500) return route;
  }
}

t.test('the same seed makes the same city, another seed another one', async (t) => {
  const text = (seed: number) => JSON.stringify(streetsGeoJson(generateCity(seed)));

  t.equal(text(1), JSON.stringify(streetsGeoJson(city)));
  t.not(text(2), text(1));
});

t.test('every seed makes a whole city: large, connected, with a ring and with bridges over the river', async (t) => {
  const property = fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
    const { network, lights } = generateCity(seed);
    const count = (kind: string) => network.streets.filter((street) => street.class === kind).length;
    const isConnected = largestPart(network).junctions.length === network.junctions.length;
    const isSound = network.streets.every(
      ({ from, to, shape }) =>
        from !== to &&
        shape.length >= 2 &&
        distanceBetween(shape.at(0) ?? { x: 1e9, y: 0 }, network.junctions[from] ?? { x: 0, y: 0 }) < 1e-6 &&
        distanceBetween(shape.at(-1) ?? { x: 1e9, y: 0 }, network.junctions[to] ?? { x: 0, y: 0 }) < 1e-6,
    );
    const isLarge =
      network.junctions.length > 500 && count('street') > 500 && count('avenue') > 150 && lights.size > 40;
    return isConnected && isSound && isLarge && count('bridge') >= 3 && count('ring') > 20;
  });

  t.doesNotThrow(() => fc.assert(property, { numRuns: 15 }));
});

t.test('no grid street runs into the river', async (t) => {
  const wet = city.network.streets.filter(
    ({ class: kind, shape }) => kind === 'street' && shape.some((point) => distanceToLine(point, city.river) < 60),
  );

  t.same(wet, []);
});

t.test('a route leads from junction to junction along streets, and no way back is much longer', async (t) => {
  const junctions = city.network.junctions.length;
  const property = fc.property(fc.nat(junctions - 1), fc.nat(junctions - 1), (from, to) => {
    const route = findRoute(city, from, to);
    if (from === to) return route === undefined;
    const back = findRoute(city, to, from);
    if (!route || !back) return false;
    const joins = route.legs.every((leg, index) => {
      const start = route.legs[index - 1]?.line.at(-1) ?? city.network.junctions[from];
      const first = leg.line[0];
      return start !== undefined && first !== undefined && distanceBetween(start, first) < 1e-6;
    });
    const seconds = (legs: typeof route.legs) =>
      legs.reduce((sum, leg) => sum + lengthOf(leg.line) / cruisingMps[leg.class], 0) + 2 * legs.length;
    return joins && route.legs.at(-1)?.toJunction === to && seconds(back.legs) < 1.5 * seconds(route.legs) + 60;
  });

  t.doesNotThrow(() => fc.assert(property, { numRuns: 60 }));
});

t.test(
  'a car arrives, never faster than its streets allow, never leaping, and stands at red lights on the way',
  async (t) => {
    let stops = 0;
    const property = fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 700, max: 5000 }),
      (seed, intervalMs) => {
        const route = someRoute(city, seed);
        const drive = createDrive({ city, route, startMs: 0, pace: 1 });
        let last: Motion | undefined;
        for (let nowMs = 0; nowMs < 3_600_000; nowMs += intervalMs) {
          const motion = drive.advanceTo(nowMs);
          const moved = last ? distanceBetween(last.point, motion.point) : 0;
          if (motion.speedMps > cruisingMps.ring + 0.01 || moved > (cruisingMps.ring * intervalMs) / 1000 + 0.01)
            return false;
          if (last && motion.speedMps < 0.1 && !motion.hasArrived) stops += 1;
          if (motion.hasArrived) {
            const goal = route.legs.at(-1)?.line.at(-1);
            const meanMps = (route.lengthMeters / nowMs) * 1000;
            return goal !== undefined && distanceBetween(motion.point, goal) < 0.01 && meanMps > 2.5;
          }
          last = motion;
        }
        return false;
      },
    );

    t.doesNotThrow(() => fc.assert(property, { numRuns: 100 }));
    t.ok(stops > 100, `cars stood ${stops} times`);
  },
);

t.test('how often a car is asked where it is does not change where it goes by more than a few metres', async (t) => {
  const route = someRoute(city, 7);
  const often = createDrive({ city, route, startMs: 0, pace: 1 });
  const seldom = createDrive({ city, route, startMs: 0, pace: 1 });

  for (let nowMs = 0; nowMs <= 30_000; nowMs += 500) often.advanceTo(nowMs);
  const distance = distanceBetween(often.advanceTo(30_000).point, seldom.advanceTo(30_000).point);

  t.ok(distance < 5, `${distance} m apart`);
});

t.test('a light gives green to one axis at a time, and to each once a cycle', async (t) => {
  for (const light of [...city.lights.values()].slice(0, 20)) {
    const greens = { main: 0, side: 0 };
    for (let nowMs = 0; nowMs < light.cycleMs; nowMs += 500) {
      const main = isGreen(light, light.mainAxis, nowMs);
      const side = isGreen(light, light.mainAxis + Math.PI / 2, nowMs);
      if (main && side) t.fail('both axes are green');
      if (main) greens.main += 1;
      if (side) greens.side += 1;
    }
    if (greens.main === 0 || greens.side === 0) t.fail('an axis never gets green');
  }
});

t.test('a receiver errs by metres, and by nearly the same a second later', async (t) => {
  const noise = createGpsNoise(createRandom(5));
  const errors = Array.from({ length: 2000 }, (_, second) => noise.blur({ x: 0, y: 0 }, second * 1000).point);

  const sizes = errors.map((point) => Math.hypot(point.x, point.y));
  const changes = errors.slice(1).map((point, index) => distanceBetween(point, errors[index] ?? point));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  t.ok(mean(sizes) > 1 && mean(sizes) < 8 && Math.max(...sizes) < 30, `mean ${mean(sizes)} m`);
  t.ok(mean(changes) < mean(sizes) / 1.5, 'the error drifts, it does not jump');
});
