import { assertAllTaken } from '../harness/assert-all-taken.ts';
import { driverId, riderId, tripId } from '../harness/city.ts';
import { createLatencyHistogram } from '../harness/latency-histogram.ts';
import { openLiveRedis } from '../harness/live-redis.ts';
import { monotonicMs } from '../harness/load/monotonic.ts';
import { type LoadProcess, startLoad } from '../harness/load/start-load.ts';
import { measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import type { Scenario } from '../harness/scenario.ts';
import { sleepMs } from '../harness/sleep.ts';
import { startTrips } from '../harness/start-trips.ts';
import { createSystem } from '../harness/system.ts';

const driverCount = 500;
const fixesPerSecond = 1000;
const windowSeconds = 10;
const lastAnswerWithinMs = 1000;

/**
 * `recv` promises: readable by anyone. Each acknowledged fix is asked for at once, over HTTP, of the api, another process; its first
 * answer must show it. A latency runs from `recv` to that answer.
 */
export const readable: Scenario = {
  name: 'readable',
  summary: 'acknowledged by the realtime service to readable from the api',
  maxSeconds: 120,
  async run(stage) {
    const system = await createSystem(stage);
    await startTrips(await openLiveRedis(stage.scope, system.redis), driverCount);
    const [realtime, api] = await Promise.all([system.startRealtime(), system.startApi()]);
    const load = await startLoad(stage.scope);
    const trips = Array.from({ length: driverCount }, (_, trip) => trip);
    await load.call('openDrivers', {
      port: realtime.port,
      drivers: trips.map((trip) => ({ driver: trip, token: system.issuer.token(driverId(trip), 'driver') })),
      fixesPerFrame: 1,
      framesInFlight: 4,
    });
    await load.call('checkReadable', {
      apiPort: api.port,
      paths: trips.map((trip) => `/v1/trips/${tripId(trip)}/location`),
      tokens: trips.map((trip) => system.issuer.token(riderId(trip), 'rider')),
    });

    stage.progress('warming up');
    await readEach(load);
    const samples: Awaited<ReturnType<typeof readEach>>[] = [];
    for (let round = 0; round < stage.rounds; round += 1) {
      const sample = await readEach(load);
      samples.push(sample);
      const p999 = formatNumber(sample.latencies.percentile(0.999));
      stage.progress(
        `round ${round + 1} of ${stage.rounds}: ${sample.latencies.count} reads, p99.9 ${p999} ms, ${sample.failures} failures`,
      );
    }
    const row = (metric: string, share: number) => ({
      scenario: 'readable',
      metric,
      unit: 'ms',
      ours: samples.map(({ latencies }) => latencies.percentile(share)),
    });
    return [
      measure(row('recv → read by HTTP elsewhere, p50', 0.5)),
      measure(row('… p99', 0.99)),
      measure({ ...row('… p99.9', 0.999), limits: [{ atMost: 50 }] }),
      measure({
        scenario: 'readable',
        metric: 'reads that did not show it',
        unit: 'reads',
        ours: samples.map(({ failures }) => failures),
        limits: [{ atMost: 0 }],
      }),
    ];
  },
};

async function readEach(load: LoadProcess) {
  const toFix = windowSeconds * fixesPerSecond;
  const seq = await load.call('nextSeq');
  const startAtMs = monotonicMs() + 100;
  await load.call('startSchedule', { startAtMs, fixesPerSecond, drivers: driverCount, fromFix: 0, toFix, seq });
  await sleepMs(windowSeconds * 1000 + lastAnswerWithinMs);
  assertAllTaken(await load.call('driverCounts'));
  const counts = await load.call('takeReadable');
  if (counts === undefined || counts.heard === 0) throw new Error(`nothing was read: ${counts?.lastFailure}`);
  if (counts.lastFailure !== undefined && counts.failures > 0) console.error(counts.lastFailure);
  const latencies = createLatencyHistogram();
  latencies.add(counts);
  // A fix that was not acknowledged in time was not asked for either.
  const unasked = toFix - counts.heard - counts.failures;
  return { latencies, failures: counts.failures + unasked };
}
