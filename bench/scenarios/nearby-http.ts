import { createPlaces, riderId } from '../harness/city.ts';
import { compareHttp } from '../harness/compare-http.ts';
import { openLiveRedis } from '../harness/live-redis.ts';
import { formatNumber } from '../harness/print-table.ts';
import type { Scenario } from '../harness/scenario.ts';
import { seedPositions } from '../harness/seed-positions.ts';
import { createSystem } from '../harness/system.ts';
import { measureThroughput } from '../harness/throughput.ts';

const driverCount = 100_000;
const riderCount = 500;
const radiusMeters = 3000;

/** Riders who ask for a ride in a city of 100,000 available drivers. */
export const nearbyHttp: Scenario = {
  name: 'nearby-http',
  summary: 'GET /v1/drivers/nearby of 100,000 drivers, signed in, against a bare Fastify route',
  maxSeconds: 180,
  async run(stage) {
    const system = await createSystem(stage);
    stage.progress(`${formatNumber(driverCount)} drivers into Redis`);
    await seedPositions(await openLiveRedis(stage.scope, system.redis), { count: driverCount, onTrip: false, seed: 1 });
    const api = await system.startApi();
    const nextPlace = createPlaces(2);
    const requests = Array.from({ length: riderCount }, (_, rider) => {
      const { lat, lng } = nextPlace();
      return {
        path: `/v1/drivers/nearby?lat=${lat}&lng=${lng}&radiusMeters=${radiusMeters}`,
        headers: { authorization: `Bearer ${system.issuer.token(riderId(rider), 'rider')}` },
      };
    });
    const { ours, bareFastify } = await compareHttp(stage, { api, requests });
    return measureThroughput({
      scenario: 'nearby-http',
      metric: 'requests answered',
      ours,
      baseline: { name: 'bare Fastify route', samples: bareFastify },
      limits: [{ ratioAtLeast: 0.45 }],
    });
  },
};
