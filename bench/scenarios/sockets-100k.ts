import { openCrowd } from '../harness/crowd/open-crowd.ts';
import { planCrowd } from '../harness/crowd/plan-crowd.ts';
import { type RelaySample, relayFixes } from '../harness/crowd/relay-fixes.ts';
import { type LiveRedis, openLiveRedis, partitions } from '../harness/live-redis.ts';
import { type Limit, type Measurement, measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import { readFilesLimit } from '../harness/processes/files-limit.ts';
import { createCpuMeter, residentBytesOf } from '../harness/processes/process-usage.ts';
import type { Scenario, Size, Stage } from '../harness/scenario.ts';
import { sleepMs } from '../harness/sleep.ts';
import { startTrips } from '../harness/start-trips.ts';
import { createSystem } from '../harness/system.ts';

const fullSize = 100_000;
/** A phone's fix every six seconds: 8,333 a second, 500,000 a minute, from 50,000 phones. */
const secondsBetweenFixes = 6;
const warmUpSeconds = 6;
const windowSeconds = 18;
const settleMs = 4_000;
const judgedFromSocketsPerServer = 10_000;

const name = 'sockets-100k';
const socketsIn = ({ sockets = fullSize }: Size): number => sockets;

/**
 * Half the sockets are phones on a trip, half are riders, one of whom watches each trip. All of it on one machine: realtime processes,
 * Redis and the generator share its cores, so the latencies are what a machine gives that does everything at once.
 */
export const sockets100k: Scenario = {
  name,
  summary: 'fix due to frame read over 100,000 sockets and several realtime processes',
  maxSeconds: 420,
  isOnlyByName: true,
  baselineName: (size) => `sockets-${sizeName(socketsIn(size))}`,
  async run(stage) {
    const trips = Math.floor(socketsIn(stage.size) / 2);
    const plan = planCrowd({ trips, filesLimit: readFilesLimit() });
    const system = await createSystem(stage);
    stage.progress(`${formatNumber(trips)} trips start`);
    const live = await openLiveRedis(stage.scope, system.redis);
    await startTrips(live, trips);
    const worker = stage.size.withWorker ? await system.startWorker() : undefined;
    const servers = await Promise.all(Array.from({ length: plan.servers }, () => system.startRealtime()));
    const serverPids = servers.map(({ pid }) => pid);

    await sleepMs(settleMs);
    const residentBefore = residentOf(serverPids);
    const openingFromMs = performance.now();
    const generators = await openCrowd({
      ...stage,
      plan,
      ports: servers.map(({ port }) => port),
      issuer: system.issuer,
    });
    const openingSeconds = (performance.now() - openingFromMs) / 1000;
    await sleepMs(settleMs);
    const residentOpen = residentOf(serverPids);

    const groups: Group[] = [
      { name: `${plan.servers} realtime processes`, pids: serverPids },
      { name: `${generators.length} generator processes`, pids: generators.map(({ pid }) => pid) },
      ...(system.redis.pid === undefined ? [] : [{ name: 'Redis', pids: [system.redis.pid] }]),
      ...(worker === undefined ? [] : [{ name: 'history worker', pids: [worker.pid] }]),
    ];
    const samples: Sample[] = [];
    for (let round = 1; round <= stage.rounds; round += 1) {
      const sample = await sampleRound({ generators, trips, groups });
      samples.push(sample);
      stage.progress(`round ${round} of ${stage.rounds}: ${describe(sample)}`);
    }
    const residentLoaded = residentOf(serverPids);

    noteCircumstances(stage, { trips, openingSeconds, samples, backlog: await countStreamed(live) });
    // What a process needs for its first thousand sockets (code compiled, heaps grown) would weigh on few.
    const memoryLimits = (trips * 2) / plan.servers >= judgedFromSocketsPerServer ? [{ atMost: 8 }] : [];
    const perSocket = (bytes: number) => (bytes - residentBefore) / 1024 / (trips * 2);
    return [
      ...latencyRows(samples),
      ...countRows(samples),
      row(
        'frames delivered',
        '/s',
        samples.map(({ latencies }) => latencies.count / windowSeconds),
      ),
      row(
        'error rate',
        '% of frames',
        samples.map((sample) => (100 * errorsOf(sample)) / sample.fixes),
        [{ atMost: 0 }],
      ),
      row('resident memory a connection, all open', 'KiB', [perSocket(residentOpen)], memoryLimits),
      row('… after the load', 'KiB', [perSocket(residentLoaded)], memoryLimits),
      ...groups.map((group, index) =>
        row(
          `processor, ${group.name}`,
          '% of a core',
          samples.map(({ corePercents }) => corePercents[index] ?? Number.NaN),
        ),
      ),
    ];
  },
};

interface Group {
  readonly name: string;
  readonly pids: readonly number[];
}

interface Sample extends RelaySample {
  /** By group. */
  readonly corePercents: readonly number[];
}

async function sampleRound({
  generators,
  trips,
  groups,
}: {
  generators: Parameters<typeof relayFixes>[0]['generators'];
  trips: number;
  groups: readonly Group[];
}): Promise<Sample> {
  let corePercents: readonly number[] = [];
  const onWindow = () => {
    const meters = groups.map(({ pids }) => pids.map(createCpuMeter));
    return () => {
      corePercents = meters.map((group) => group.reduce((sum, meter) => sum + meter.percent(), 0));
    };
  };
  const fixesPerSecond = trips / secondsBetweenFixes;
  const sample = await relayFixes({ generators, trips, fixesPerSecond, warmUpSeconds, windowSeconds, onWindow });
  return { ...sample, corePercents };
}

const row = (metric: string, unit: string, ours: readonly number[], limits: readonly Limit[] = []): Measurement =>
  measure({ scenario: name, metric, unit, ours, limits });

function latencyRows(samples: readonly Sample[]): Measurement[] {
  const percentile = (metric: string, share: number, limits: readonly Limit[] = []) =>
    row(
      metric,
      'ms',
      samples.map(({ latencies }) => latencies.percentile(share)),
      limits,
    );
  return [
    percentile('fix due → frame read, p50', 0.5),
    percentile('… p95', 0.95),
    percentile('… p99', 0.99, [{ atMost: 100 }]),
    percentile('… p99.9', 0.999),
    row(
      '… max',
      'ms',
      samples.map(({ latencies }) => latencies.maxMs),
    ),
  ];
}

/** Added up over all rounds: a median would pass over a round that lost something. */
function countRows(samples: readonly Sample[]): Measurement[] {
  const none = (metric: string, unit: string, read: (sample: Sample) => number) =>
    row(metric, unit, [samples.reduce((sum, sample) => sum + read(sample), 0)], [{ atMost: 0 }]);
  return [
    none('riders that heard nothing', 'sockets', ({ silentRiders }) => silentRiders),
    none('phones without recv', 'sockets', ({ silentPhones }) => silentPhones),
    none('frames that never came', 'frames', ({ missingFrames }) => missingFrames),
    none('fixes without recv', 'fixes', ({ unansweredFixes }) => unansweredFixes),
    row('drops, errors, lost sockets', 'cases', [samples.at(-1)?.faults ?? 0], [{ atMost: 0 }]),
  ];
}

/** A rider is told of each fix, and its phone is answered. */
const errorsOf = (sample: Sample): number => sample.missingFrames + sample.unansweredFixes + sample.faults;

const describe = (sample: Sample): string =>
  `p50 ${formatNumber(sample.latencies.percentile(0.5))} ms, p99 ${formatNumber(sample.latencies.percentile(0.99))} ms, ` +
  `max ${formatNumber(sample.latencies.maxMs)} ms, ${sample.missingFrames} frames missing, ` +
  `${sample.silentRiders + sample.silentPhones} sockets silent, sender late by ${formatNumber(sample.senderLatestMs)} ms` +
  (sample.faults > 0 ? `, ${sample.faults} faults: ${sample.lastFault}` : '');

function noteCircumstances(
  stage: Stage,
  {
    trips,
    openingSeconds,
    samples,
    backlog,
  }: { trips: number; openingSeconds: number; samples: readonly Sample[]; backlog: number },
): void {
  const fixesPerSecond = trips / secondsBetweenFixes;
  const latestMs = Math.max(...samples.map(({ senderLatestMs }) => senderLatestMs));
  const worker = stage.size.withWorker ? 'a history worker ran beside' : 'no history worker ran';
  stage.note(
    `${formatNumber(trips)} phones on a trip and as many riders, one to a trip, ${formatNumber(fixesPerSecond)} fixes/s; ` +
      `${worker}, ${formatNumber(backlog)} entries were left in the streams.`,
  );
  stage.note(
    `all were connected within ${formatNumber(openingSeconds)} s; a due fix waited ${formatNumber(latestMs)} ms for the generator ` +
      'at most, which counts as latency.',
  );
}

/** Fixes that history has yet to store. */
async function countStreamed({ connections, keys }: LiveRedis): Promise<number> {
  let entries = 0;
  for (let partition = 0; partition < partitions; partition += 1) {
    entries += await connections.commands.xlen(keys.fixes(partition));
  }
  return entries;
}

/** `100k`, `3k`, or the number itself. */
function sizeName(sockets: number): string {
  return sockets % 1000 === 0 ? `${sockets / 1000}k` : String(sockets);
}

const residentOf = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + residentBytesOf(pid), 0);
