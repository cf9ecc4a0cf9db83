import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { freePort } from '@hushryd/platform/engines/ports';
import { tripId } from '../harness/city.ts';
import { openCrowd } from '../harness/crowd/open-crowd.ts';
import { planCrowd } from '../harness/crowd/plan-crowd.ts';
import { type RelaySample, relayFixes } from '../harness/crowd/relay-fixes.ts';
import { interleave } from '../harness/interleave.ts';
import { openLiveRedis } from '../harness/live-redis.ts';
import type { FeedPublisherCommands } from '../harness/load/feed-publisher.ts';
import { startLoad } from '../harness/load/start-load.ts';
import { measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import { residentBytesOf } from '../harness/processes/process-usage.ts';
import { readMetric } from '../harness/processes/read-metric.ts';
import { startHelper } from '../harness/processes/start-helper.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { createScope, type Scope } from '../harness/scope.ts';
import { sleepMs } from '../harness/sleep.ts';
import { startTrips } from '../harness/start-trips.ts';
import { createSystem, type System } from '../harness/system.ts';

const name = 'slow-consumers';
const usualSockets = 2_000;
const stalledShare = 0.05;
/** As many topics as a socket may have: the kernel takes some megabytes a socket before the service notices anything. */
const busyTrips = 32;
const fillPerSecond = 1_200;
const fillAtMostMs = 40_000;
/** Once all are slow these trips go on like any other. */
const trickleSeconds = 1;
const secondsBetweenFixes = 1;
const warmUpSeconds = 1;
const windowSeconds = 6;
const idleSeconds = 120;
const lookEveryMs = 250;
const mebibyte = 1024 * 1024;

interface Sample extends RelaySample {
  /** Highest resident memory of the service, from the stall to the end. */
  readonly residentBytes: number;
  /** Stalled sockets that were conflated when the window began and when it ended, and those that had been closed by then. */
  readonly slowAtFirst: number;
  readonly slow: number;
  readonly closed: number;
}

/**
 * Operators who watch 32 busy trips each and stop reading, beside phones and riders who do not. Before the window the busy trips move fast,
 * until the buffers of the stalled are full and the service has noticed all of them. The baseline is the same run without stalled ones, on a
 * fresh process too.
 */
export const slowConsumers: Scenario = {
  name,
  summary: 'what 5 % of sockets that stop reading cost the others, in latency and memory',
  maxSeconds: 600,
  isOnlyByName: true,
  async run(stage) {
    const sockets = stage.size.sockets ?? usualSockets;
    const trips = Math.floor(sockets / 2);
    const stalled = Math.max(1, Math.round(sockets * stalledShare));
    const system = await createSystem(stage);
    await startTrips(await openLiveRedis(stage.scope, system.redis), trips + busyTrips);
    const publisher = await startHelper<FeedPublisherCommands>(stage.scope, {
      module: new URL('../harness/load/feed-publisher', import.meta.url),
    });
    await publisher.call('connect', system.redis);
    const publish = (perSecond: number) =>
      publisher.call('publish', { firstDriver: trips, drivers: busyTrips, perSecond, run: Date.now() });

    const sampleWith = (count: number) => () =>
      inOwnScope(stage, (scope) => sample({ stage: { ...stage, scope }, system, trips, stalled: count, publish }));
    const samples = await interleave({
      rounds: stage.rounds,
      progress: stage.progress,
      contenders: { stalled: sampleWith(stalled), baseline: sampleWith(0) },
      describe,
    });

    const baselineName = 'nobody stalls';
    const latency = (metric: string, share: number) => ({
      scenario: name,
      metric,
      unit: 'ms',
      ours: samples.stalled.map(({ latencies }) => latencies.percentile(share)),
      baseline: { name: baselineName, samples: samples.baseline.map(({ latencies }) => latencies.percentile(share)) },
    });
    const costs = samples.stalled.map(
      ({ residentBytes }, round) => (residentBytes - (samples.baseline[round]?.residentBytes ?? 0)) / mebibyte,
    );
    const unnoticed = samples.stalled.map(({ slow, closed }) => Math.max(0, stalled - slow - closed));
    const lost = [...samples.stalled, ...samples.baseline].map(({ missingFrames, faults }) => missingFrames + faults);
    const last = samples.stalled.at(-1);
    stage.note(
      `${formatNumber(trips * 2)} sockets, ${formatNumber(trips / secondsBetweenFixes)} fixes/s, and ${formatNumber(stalled)} stalled ` +
        `with ${busyTrips} topics each. In the last round ${last?.slowAtFirst} of them were conflated when the window began, ` +
        `${last?.slow} when it ended, and ${last?.closed} had been closed by then.`,
    );
    return [
      measure(latency('others, fix due → frame read, p50', 0.5)),
      measure({ ...latency('… p99', 0.99), limits: [{ ratioAtMost: 1.1 }] }),
      measure({
        scenario: name,
        metric: 'resident memory, beyond the baseline',
        unit: 'MiB',
        ours: costs,
        // 64 KiB each and 10 MB.
        limits: [{ atMost: Math.round((stalled * 64) / 1024 + 10) }],
      }),
      measure({
        scenario: name,
        metric: 'stalled, neither conflated nor closed',
        unit: 'sockets',
        ours: [Math.max(...unnoticed)],
        limits: [{ atMost: 0 }],
      }),
      measure({
        scenario: name,
        metric: 'stalled throughout the window',
        unit: 'sockets',
        ours: samples.stalled.map(({ slowAtFirst, slow }) => Math.min(slowAtFirst, slow)),
        limits: [{ atLeast: stalled }],
      }),
      measure({
        scenario: name,
        metric: 'others, frames lost',
        unit: 'frames',
        ours: [Math.max(...lost)],
        limits: [{ atMost: 0 }],
      }),
    ];
  },
};

async function sample({
  stage,
  system,
  trips,
  stalled,
  publish,
}: {
  stage: Stage;
  system: System;
  trips: number;
  stalled: number;
  publish: (perSecond: number) => Promise<unknown>;
}): Promise<Sample> {
  const { scope } = stage;
  const metricsPort = await freePort();
  const realtime = await system.startRealtime(scope, {
    METRICS_PORT: String(metricsPort),
    // They answer no pings: within the usual 16 s they would be gone before the window is over, and cost nobody anything.
    IDLE_TIMEOUT_SECONDS: String(idleSeconds),
  });
  const read = (metric: string) => readMetric(metricsPort, metric);
  const plan = planCrowd({ trips, filesLimit: 20_000 });
  const generators = await openCrowd({ ...stage, plan, ports: [realtime.port], issuer: system.issuer });
  const stallers = await startLoad(scope);
  await stallers.call('openListeners', {
    port: realtime.port,
    protocol: 'hushryd',
    listeners: Array.from({ length: stalled }, (_, operator) => ({
      token: system.issuer.token(`operator-${operator}`, 'operator'),
      topics: Array.from({ length: busyTrips }, (_, trip) => tripTopic(tripId(trips + trip))),
    })),
  });
  await stallers.call('stallListeners');

  let residentBytes = 0;
  const watching = setInterval(() => {
    residentBytes = Math.max(residentBytes, residentBytesOf(realtime.pid));
  }, lookEveryMs);
  try {
    const filledMs = await fill({ stalled, publish, read });
    stage.progress(`buffers full after ${formatNumber(filledMs / 1000)} s`);
    const slow: Promise<number>[] = [];
    const readSlow = () => slow.push(read('realtime_slow_sockets'));
    const onWindow = () => {
      readSlow();
      return readSlow;
    };
    const fixesPerSecond = trips / secondsBetweenFixes;
    const relayed = await relayFixes({ generators, trips, fixesPerSecond, warmUpSeconds, windowSeconds, onWindow });
    const [slowAtFirst = 0, slowAtLast = 0] = await Promise.all(slow);
    const open = await read('realtime_connections');
    return { ...relayed, residentBytes, slowAtFirst, slow: slowAtLast, closed: trips * 2 + stalled - open };
  } finally {
    clearInterval(watching);
  }
}

let lastFillMs = 5_000;

/** Until all stalled sockets are known to be slow; without any, as long as it took with them. */
async function fill({
  stalled,
  publish,
  read,
}: {
  stalled: number;
  publish: (perSecond: number) => Promise<unknown>;
  read: (metric: string) => Promise<number>;
}): Promise<number> {
  const startedAtMs = performance.now();
  const elapsedMs = () => performance.now() - startedAtMs;
  await publish(fillPerSecond);
  if (stalled === 0) await sleepMs(lastFillMs);
  while (stalled > 0 && elapsedMs() < fillAtMostMs && (await read('realtime_slow_sockets')) < stalled) {
    await sleepMs(lookEveryMs);
  }
  lastFillMs = elapsedMs();
  await publish(busyTrips / trickleSeconds);
  return lastFillMs;
}

const describe = ({
  latencies,
  residentBytes,
  slowAtFirst,
  slow,
  closed,
  missingFrames,
  faults,
  lastFault,
}: Sample): string =>
  `p50 ${formatNumber(latencies.percentile(0.5))} ms, p99 ${formatNumber(latencies.percentile(0.99))} ms, ` +
  `${formatNumber(residentBytes / mebibyte)} MiB resident, ${slowAtFirst} slow, later ${slow}, ${closed} closed, ${missingFrames} frames missing` +
  (faults > 0 ? `, ${faults} faults: ${lastFault}` : '');

async function inOwnScope<T>(stage: Stage, work: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = createScope((error) => stage.progress(`while ending: ${String(error)}`));
  stage.scope.teardown(() => scope.close());
  try {
    return await work(scope);
  } finally {
    await scope.close();
  }
}
