import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { createLimitInFlight } from '@hushryd/platform/lifecycle/limit-in-flight';
import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { generateCity } from '../city/generate-city.ts';
import { createRandom } from '../city/random.ts';
import { distanceMeters } from '../geo/sphere.ts';
import type { Backend } from './backend.ts';
import { createCar } from './car.ts';
import { describe } from './replay-trips.ts';
import { createRidePlanner, plannedRoute } from './ride-planner.ts';
import { createTokenSource } from './token-source.ts';
import { createTripDesk } from './trip-desk.ts';
import { withRetries } from './with-retries.ts';

const city = generateCity(1);
const never = new AbortController().signal;

/** What one phone reads on one ride, once every five seconds until it has arrived. */
function driveOnce(seed: number) {
  const random = createRandom(seed);
  const planner = createRidePlanner(city, random.fork('rides'));
  const car = createCar({ city, random: random.fork('car'), junction: planner.someJunction() });
  const route = planner.ride(car.junction);
  const readings = [car.read(0).reading];
  car.depart(route, 0);
  for (let nowMs = 5000; nowMs < 3_600_000; nowMs += 5000) {
    const { reading, hasArrived } = car.read(nowMs);
    readings.push(reading);
    if (hasArrived) break;
  }
  return { readings, path: plannedRoute(city, route), car, goal: route.legs.at(-1)?.toJunction };
}

t.test('the same seed drives the same way, another seed another way', async (t) => {
  t.same(driveOnce(3).readings, driveOnce(3).readings);
  t.notSame(driveOnce(4).readings, driveOnce(3).readings);
});

t.test('a car reads believable fixes from its origin to its destination', async (t) => {
  const property = fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
    const { readings, path, car, goal } = driveOnce(seed);
    const [first, last] = [readings.at(0), readings.at(-1)];
    const [origin, destination] = [path.at(0), path.at(-1)];
    if (!first || !last || !origin || !destination || car.junction !== goal) return false;
    const believable = readings.every((reading, index) => {
      const before = readings[index - 1];
      const moved = before ? distanceMeters(before, reading) : 0;
      const { headingDegrees = -1, speedMps = -1, accuracyMeters = -1, batteryPercent = -1 } = reading;
      const isInRange = headingDegrees >= 0 && headingDegrees < 360 && speedMps >= 0 && accuracyMeters > 0;
      return isInRange && batteryPercent <= 100 && moved < 5 * 25 + 30;
    });
    return believable && distanceMeters(first, origin) < 40 && distanceMeters(last, destination) < 40;
  });

  t.doesNotThrow(() => fc.assert(property, { numRuns: 50 }));
});

t.test('a planned route fits what the API takes', async (t) => {
  for (let seed = 0; seed < 20; seed += 1) {
    const { path } = driveOnce(seed);
    t.ok(path.length >= 2 && path.length <= 2000, `${path.length} points`);
  }
});

t.test('never more in flight than allowed, in order, and a failure frees its place', async (t) => {
  const limited = createLimitInFlight(3);
  const order: number[] = [];
  let [inFlight, most] = [0, 0];
  const work = (index: number) => async () => {
    order.push(index);
    inFlight += 1;
    most = Math.max(most, inFlight);
    await turn();
    inFlight -= 1;
    if (index % 5 === 0) throw new Error('no');
    return index;
  };

  const results = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => limited(work(index))));

  t.equal(most, 3);
  t.same(order, [...order.keys()]);
  t.equal(results.filter((result) => result.status === 'rejected').length, 8);
});

t.test('what may pass is tried again, what cannot is not', async (t) => {
  const fail = (status: number) => new HttpProblem({ code: 'internal', status, message: 'no', retryAfterMs: 1 });
  const failTwice = (status: number) => {
    let count = 0;
    const request = async () => {
      count += 1;
      if (count <= 2) throw fail(status);
      return count;
    };
    return withRetries({ request, signal: never });
  };

  t.equal(await failTwice(503), 3);
  t.equal(await failTwice(0), 3, 'no answer at all');
  await t.rejects(failTwice(409), { message: 'no' });
  await t.rejects(withRetries({ request: () => Promise.reject(fail(503)), signal: never, withinMs: 0 }), {
    message: 'no',
  });
  const stopped = AbortSignal.abort(new Error('stopped'));
  await t.rejects(withRetries({ request: () => Promise.reject(fail(503)), signal: stopped }), { message: 'stopped' });
});

/** Answers by `METHOD /path`; everything asked is noted. */
async function startFake(
  t: Test,
  answer: (call: string, request: IncomingMessage) => { status?: number; body: unknown },
) {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    const call = `${request.method} ${request.url}`;
    calls.push(call);
    const { status = 200, body } = answer(call, request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close().closeAllConnections());
  const address = server.address();
  return { calls, url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}` };
}

t.test('a token is kept until shortly before it runs out, and asked for once at a time', async (t) => {
  let nowMs = 1_000_000;
  let count = 0;
  const fake = await startFake(t, (_call, request) => {
    count += 1;
    if (request.headers.authorization !== 'Bearer secret') return { status: 401, body: {} };
    return { body: { token: `t${count}`, expiresAt: new Date(nowMs + 900_000).toISOString() } };
  });
  const tokensFor = createTokenSource({ issuerUrl: fake.url, fleetSecret: 'secret', now: () => nowMs });
  const getToken = tokensFor({ userId: 'car-1', role: 'driver' });

  t.same(await Promise.all([getToken({}), getToken({})]), ['t1', 't1']);
  nowMs += 800_000;
  t.equal(await getToken({}), 't1');
  nowMs += 20_000;
  t.equal(await getToken({}), 't2');
  t.equal(await getToken({ refused: 't1' }), 't2', 'the one that was refused is not kept any more');
  t.equal(await getToken({ refused: 't2' }), 't3');
});

t.test('a trip that a killed fleet left open is ended before the driver’s next one starts', async (t) => {
  let isBusy = true;
  const fake = await startFake(t, (call) => {
    if (call === 'POST /v1/trips/new/start' && isBusy)
      return { status: 409, body: { code: 'driver_busy', title: 'busy', correlationId: 'c' } };
    if (call.startsWith('GET'))
      return {
        body: {
          trips: [
            { tripId: 'old', driverId: 'd' },
            { tripId: 'other', driverId: 'd2' },
          ],
        },
      };
    if (call === 'POST /v1/trips/old/end') isBusy = false;
    return { body: {} };
  });
  const backend: Backend = { apiUrl: fake.url, realtimeUrl: 'ws://127.0.0.1:1', tokensFor: () => () => 'token' };
  const desk = createTripDesk({ backend, signal: never });
  const place = { lat: 1, lng: 2 };

  await desk.begin({
    tripId: 'new',
    reference: 'r',
    driverId: 'd',
    passengerIds: [],
    origin: place,
    destination: place,
  });
  await desk.endAll(5000);

  t.same(fake.calls, [
    'POST /v1/trips',
    'POST /v1/trips/new/start',
    'GET /v1/trips?q=d&state=active&limit=100',
    'POST /v1/trips/old/end',
    'POST /v1/trips/new/start',
    'POST /v1/trips/new/end',
  ]);
});

t.test('the summary of a replay is one sentence that hides nothing', async (t) => {
  const good = {
    tripCount: 2,
    sentCount: 9,
    durableCount: 9,
    drops: {},
    pendingCount: 0,
    failures: [],
    startedAtMs: 0,
  };

  t.equal(describe(good), 'Replay ended: 9 fixes of 2 trips sent, 9 stored for good, none dropped.');
  t.equal(
    describe(
      {
        ...good,
        durableCount: 5,
        drops: { impossible_speed: 3 },
        pendingCount: 1,
        failures: [{ driverId: 'd', reason: 'no way' }],
      },
      true,
    ),
    'Replay stopped: 9 fixes of 2 trips sent, 5 stored for good, dropped: 3 impossible_speed, 1 not yet acknowledged, 1 driver broke off (no way).',
  );
});
