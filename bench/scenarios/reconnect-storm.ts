import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { riderId, tripId } from '../harness/city.ts';
import { sourceAddress } from '../harness/crowd/plan-crowd.ts';
import { createLatencyHistogram } from '../harness/latency-histogram.ts';
import { openLiveRedis } from '../harness/live-redis.ts';
import type { Returns } from '../harness/load/returning-clients.ts';
import { type LoadProcess, startLoad } from '../harness/load/start-load.ts';
import { type Limit, measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { createScope } from '../harness/scope.ts';
import { sleepMs } from '../harness/sleep.ts';
import { startTrips } from '../harness/start-trips.ts';
import { createSystem, type System } from '../harness/system.ts';

const usualSockets = 2_000;
const socketsPerAddress = 2_000;
const settleMs = 1_000;
const lookEveryMs = 50;
const givenUpAfterMs = 60_000;

/** Not set, so as shipped: they are what keeps a storm from being too much for the node that is left. */
const shippedLimits = {
  MAX_ACCEPTS_PER_SECOND: undefined,
  MAX_PENDING_UPGRADES: undefined,
  UPGRADE_TIMEOUT_MS: undefined,
};

interface Sample {
  readonly seconds: number;
  readonly p99Seconds: number;
  readonly failedTries: number;
  readonly notBack: number;
}

/**
 * A node dies with all its sockets (SIGKILL), and its riders come to the other one, by the protocol's backoff: token, lease, upgrade and
 * subscription, everything anew. The time runs from the first drop until the last is subscribed again.
 */
export const reconnectStorm: Scenario = {
  name: 'reconnect-storm',
  summary: 'a node is killed: until all its 2,000 riders watch their trips again, elsewhere',
  maxSeconds: 400,
  isOnlyByName: true,
  async run(stage) {
    const sockets = stage.size.sockets ?? usualSockets;
    const system = await createSystem(stage);
    await startTrips(await openLiveRedis(stage.scope, system.redis), sockets);
    const survivor = await system.startRealtime(stage.scope, shippedLimits);
    const samples: Sample[] = [];
    for (let round = 1; round <= stage.rounds; round += 1) {
      const sample = await storm(stage, { system, sockets, survivorPort: survivor.port });
      samples.push(sample);
      const { seconds, failedTries, notBack } = sample;
      stage.progress(
        `round ${round} of ${stage.rounds}: ${formatNumber(seconds)} s, ${failedTries} tries failed, ${notBack} not back`,
      );
    }
    const row = (metric: string, unit: string, ours: readonly number[], limits: readonly Limit[] = []) =>
      measure({ scenario: 'reconnect-storm', metric, unit, ours, limits });
    return [
      row(
        `${formatNumber(sockets)} dropped → all are back`,
        's',
        samples.map(({ seconds }) => seconds),
        [{ atMost: 15 }],
      ),
      row(
        '… p99 of one',
        's',
        samples.map(({ p99Seconds }) => p99Seconds),
      ),
      row(
        '… tries that failed',
        'tries',
        samples.map(({ failedTries }) => failedTries),
      ),
      row(
        'sockets that did not come back',
        'sockets',
        [Math.max(...samples.map(({ notBack }) => notBack))],
        [{ atMost: 0 }],
      ),
    ];
  },
};

async function storm(
  stage: Stage,
  { system, sockets, survivorPort }: { system: System; sockets: number; survivorPort: number },
): Promise<Sample> {
  const scope = createScope((error) => stage.progress(`while ending: ${String(error)}`));
  stage.scope.teardown(() => scope.close());
  try {
    const node = await system.startRealtime(scope, shippedLimits);
    const load = await startLoad(scope);
    for (let from = 0; from < sockets; from += socketsPerAddress) {
      await load.call('openReturning', {
        port: node.port,
        otherPorts: [survivorPort],
        localAddress: sourceAddress({ generator: 0, part: from / socketsPerAddress }),
        clients: Array.from({ length: Math.min(socketsPerAddress, sockets - from) }, (_, index) => ({
          token: system.issuer.token(riderId(from + index), 'rider'),
          topics: [tripTopic(tripId(from + index))],
        })),
      });
    }
    await sleepMs(settleMs);
    process.kill(node.pid, 'SIGKILL');
    return toSample(await allBack(load, sockets), sockets);
  } finally {
    await scope.close();
  }
}

async function allBack(load: LoadProcess, sockets: number): Promise<Returns> {
  let returns = await load.call('returns');
  for (const untilMs = performance.now() + givenUpAfterMs; performance.now() < untilMs; await sleepMs(lookEveryMs)) {
    returns = await load.call('returns');
    if (returns.back >= sockets) break;
  }
  return returns;
}

function toSample(returns: Returns, sockets: number): Sample {
  const delays = createLatencyHistogram();
  delays.add(returns);
  return {
    seconds: (returns.lastBackAtMs - returns.firstDropAtMs) / 1000,
    p99Seconds: delays.percentile(0.99) / 1000,
    failedTries: returns.failedTries,
    notBack: sockets - returns.back,
  };
}
