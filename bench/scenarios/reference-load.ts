import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { freePort } from '@hushryd/platform/engines/ports';
import { driverId, riderId, tripId } from '../harness/city.ts';
import { type RelaySample, relayFixes } from '../harness/crowd/relay-fixes.ts';
import type { LatencyHistogram } from '../harness/latency-histogram.ts';
import { openLiveRedis } from '../harness/live-redis.ts';
import { type AlertCounts, openAlertDesk } from '../harness/load/alert-desk.ts';
import type { HttpLoadCommands, HttpLoadResult } from '../harness/load/http-load.ts';
import { type LoadProcess, startLoad } from '../harness/load/start-load.ts';
import { type Limit, measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import { readPercentile } from '../harness/processes/read-metric.ts';
import { startHelper } from '../harness/processes/start-helper.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { startTrips } from '../harness/start-trips.ts';
import { createSystem, type System } from '../harness/system.ts';

/** A quiet hour of a company of middling size. Frozen: figures of years are compared by it. */
const load = {
  trips: 500,
  /** Beside the phone: 2,000 sockets, four to a topic. */
  ridersPerTrip: 3,
  fixesPerSecond: 500,
  requestsPerSecond: 50,
  alertsPerSecond: 1,
};
const nodes = 2;
const warmUpSeconds = 5;
const windowSeconds = 20;
const requestConnections = 10;

interface Sample {
  readonly relayed: RelaySample;
  readonly alerts: AlertCounts;
  readonly http: HttpLoadResult;
}

/**
 * The whole system at work, and not at its limit: two realtime nodes, api, history worker, Redis and MongoDB. What one waits for then is
 * what riders and operators feel on every day. Every second rider is on another node than the phone.
 */
export const referenceLoad: Scenario = {
  name: 'reference-load',
  summary: '2,000 sockets on two nodes, 500 fixes/s, 50 requests/s and an alert a second, all services running',
  maxSeconds: 240,
  async run(stage) {
    const system = await createSystem(stage);
    const live = await openLiveRedis(stage.scope, system.redis);
    await startTrips(live, load.trips);
    const metricsPort = await freePort();
    const [api, realtimes] = await Promise.all([
      system.startApi(),
      Promise.all(Array.from({ length: nodes }, () => system.startRealtime())),
      system.startWorker(stage.scope, { METRICS_PORT: String(metricsPort) }),
    ]);
    const ports = realtimes.map(({ port }) => port);
    stage.progress('2,000 sockets connect');
    const generators = await openSockets(stage, { system, ports });
    const desk = await openAlertDesk({
      scope: stage.scope,
      live,
      port: ports[0] as number,
      token: system.issuer.token('operator-1', 'operator'),
    });
    const http = await startHelper<HttpLoadCommands>(stage.scope, {
      module: new URL('../harness/load/http-load', import.meta.url),
    });
    const requests = Array.from({ length: load.trips }, (_, trip) => ({
      path: `/v1/trips/${tripId(trip)}/location`,
      headers: { authorization: `Bearer ${system.issuer.token(riderId(trip), 'rider')}` },
    }));

    const samples: Sample[] = [];
    for (let round = 1; round <= stage.rounds; round += 1) {
      desk.alert(load.alertsPerSecond * (warmUpSeconds + windowSeconds));
      const asked = http.call('run', {
        url: `http://127.0.0.1:${api.port}`,
        requests,
        connections: requestConnections,
        seconds: warmUpSeconds + windowSeconds,
        requestsPerSecond: load.requestsPerSecond,
      });
      const relayed = await relayFixes({ generators, ...load, warmUpSeconds, windowSeconds });
      const sample = { relayed, alerts: desk.take(), http: await asked };
      samples.push(sample);
      stage.progress(`round ${round} of ${stage.rounds}: ${describe(sample)}`);
    }
    const lag = await readPercentile(metricsPort, 'history_lag_seconds', 0.99);
    return [
      ...rowsOf(samples),
      measure({
        scenario: 'reference-load',
        metric: 'fix arrived → durable, p99 within',
        unit: 's',
        ours: [lag],
        limits: [{ atMost: 3 }],
      }),
    ];
  },
};

/** Two generators, each with every second phone, and the riders of the other half of the trips. */
async function openSockets(
  stage: Stage,
  { system: { issuer }, ports }: { system: System; ports: readonly number[] },
): Promise<readonly LoadProcess[]> {
  const generators = await Promise.all([startLoad(stage.scope), startLoad(stage.scope)]);
  const trips = Array.from({ length: load.trips }, (_, trip) => trip);
  await Promise.all(
    generators.flatMap((generator, own) =>
      ports.map(async (port, node) => {
        const phones = trips.filter((trip) => trip % 2 === own && Math.floor(trip / 2) % nodes === node);
        await generator.call('openDrivers', {
          port,
          drivers: phones.map((trip) => ({ driver: trip, token: issuer.token(driverId(trip), 'driver') })),
          fixesPerFrame: 1,
          framesInFlight: 4,
        });
        await generator.call('openListeners', {
          port,
          protocol: 'hushryd',
          listeners: trips
            .filter((trip) => trip % 2 !== own)
            .flatMap((trip) => {
              const rider = {
                token: issuer.token(riderId(trip), 'rider'),
                topics: [tripTopic(tripId(trip))],
                driver: trip,
              };
              const members = Array.from({ length: load.ridersPerTrip }, (_, member) => member);
              return members.filter((member) => (trip + member) % nodes === node).map(() => rider);
            }),
        });
      }),
    ),
  );
  return generators;
}

function rowsOf(samples: readonly Sample[]) {
  const row = (metric: string, unit: string, read: (sample: Sample) => number, limits: readonly Limit[] = []) =>
    measure({ scenario: 'reference-load', metric, unit, ours: samples.map(read), limits });
  /** Added up over all rounds: a median would pass over a round that lost something. */
  const none = (metric: string, unit: string, read: (sample: Sample) => number) =>
    measure({
      scenario: 'reference-load',
      metric,
      unit,
      ours: [samples.reduce((sum, sample) => sum + read(sample), 0)],
      limits: [{ atMost: 0 }],
    });
  const fixes = ({ relayed }: Sample): LatencyHistogram => relayed.latencies;
  return [
    row('fix due → frame read, p50', 'ms', (sample) => fixes(sample).percentile(0.5)),
    row('… p99', 'ms', (sample) => fixes(sample).percentile(0.99), [{ atMost: 100 }]),
    row('… p99.9', 'ms', (sample) => fixes(sample).percentile(0.999), [{ atMost: 250 }]),
    row('… max', 'ms', (sample) => fixes(sample).maxMs, [{ atMost: 500 }]),
    row('alert due → operator reads it, p50', 'ms', ({ alerts }) => alerts.latencies.percentile(0.5)),
    row('… max', 'ms', ({ alerts }) => alerts.latencies.maxMs, [{ atMost: 100 }]),
    row('GET location, p99', 'ms', ({ http }) => http.p99Ms),
    none('frames that never came', 'frames', ({ relayed }) => relayed.missingFrames),
    none('alerts that never came', 'alerts', ({ alerts }) => alerts.missing),
    none('requests that failed', 'requests', ({ http }) => http.failures),
    none('fixes without recv', 'fixes', ({ relayed }) => relayed.unansweredFixes),
  ];
}

const describe = ({ relayed, alerts, http }: Sample): string =>
  `p50 ${formatNumber(relayed.latencies.percentile(0.5))} ms, p99.9 ${formatNumber(relayed.latencies.percentile(0.999))} ms, ` +
  `alerts within ${formatNumber(alerts.latencies.maxMs)} ms, requests p99 ${formatNumber(http.p99Ms)} ms, ` +
  `sender late by ${formatNumber(relayed.senderLatestMs)} ms`;
