import { riderId, tripId } from '../harness/city.ts';
import { compareHttp } from '../harness/compare-http.ts';
import { openLiveRedis } from '../harness/live-redis.ts';
import type { Scenario } from '../harness/scenario.ts';
import { seedPositions } from '../harness/seed-positions.ts';
import { startTrips } from '../harness/start-trips.ts';
import { createSystem } from '../harness/system.ts';
import { measureThroughput } from '../harness/throughput.ts';

const tripCount = 500;

/** Riders who ask where their trips are: token checked, access decided, position read from Redis, every time. */
export const httpLocation: Scenario = {
  name: 'http-location',
  summary: 'GET /v1/trips/:id/location, signed in, from Redis, against a bare Fastify route',
  maxSeconds: 180,
  async run(stage) {
    const system = await createSystem(stage);
    const live = await openLiveRedis(stage.scope, system.redis);
    await startTrips(live, tripCount);
    await seedPositions(live, { count: tripCount, onTrip: true, seed: 1 });
    const api = await system.startApi();
    const requests = Array.from({ length: tripCount }, (_, trip) => ({
      path: `/v1/trips/${tripId(trip)}/location`,
      headers: { authorization: `Bearer ${system.issuer.token(riderId(trip), 'rider')}` },
    }));
    const { ours, bareFastify } = await compareHttp(stage, { api, requests });
    return measureThroughput({
      scenario: 'http-location',
      metric: 'requests answered',
      ours,
      baseline: { name: 'bare Fastify route', samples: bareFastify },
      limits: [{ atLeast: 10_000 }, { ratioAtLeast: 0.45 }],
    });
  },
};
