import type { Position } from '@hushryd/contracts/fix';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { driverId, fixAt, riderId, tripId } from '../harness/city.ts';
import type { BareUwsCommands } from '../harness/contenders/bare-uws.ts';
import type { SocketIoCommands } from '../harness/contenders/socket-io.ts';
import { interleave } from '../harness/interleave.ts';
import { openLiveRedis } from '../harness/live-redis.ts';
import type { FeedPublisherCommands } from '../harness/load/feed-publisher.ts';
import { firstSeq } from '../harness/load/loc-frame.ts';
import { type LoadProcess, startLoad } from '../harness/load/start-load.ts';
import type { Limit } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import { startHelper } from '../harness/processes/start-helper.ts';
import type { Progress } from '../harness/progress.ts';
import { raiseUntilSaturated } from '../harness/saturate.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { sleepMs } from '../harness/sleep.ts';
import { startTrips } from '../harness/start-trips.ts';
import { createSystem, type System } from '../harness/system.ts';
import { describeThroughput, measureThroughput, meterThroughput, type Throughput } from '../harness/throughput.ts';

const socketCount = 10_000;
const tripCount = 1_000;
const socketsPerTrip = socketCount / tripCount;

const settleMs = 500;
const windowMs = 1500;

/** Someone whose clients are connected and who can be told to publish. */
interface Contender {
  readonly pid: number;
  readonly load: LoadProcess;
  /** Positions a second in all; 0 stops. */
  publish(perSecond: number): Promise<unknown>;
}

/**
 * What one process can deliver: 10,000 sockets on 1,000 trips. Ours hears the positions from Redis as from other nodes; so does
 * Socket.IO through its adapter; bare uWS publishes ready-made frames of the same length that come from nowhere, each topic at most
 * once in a turn of its loop. The last lines let it gather for half a second: several frames a socket then leave in one write, at the
 * price of that delay.
 */
export const fanOut: Scenario = {
  name: 'fan-out',
  summary:
    'frames a process delivers to 10,000 sockets, saturated; against bare uWS and Socket.IO with its Redis adapter',
  maxSeconds: 400,
  async run(stage) {
    const { progress } = stage;
    const system = await createSystem(stage);
    progress(`${formatNumber(socketCount)} sockets connect to each`);
    const ours = await openOurs(stage, system);
    const bareUws = await openBareUws(stage);
    const socketIo = await openSocketIo(stage, system);

    const ramp = (contender: Contender, startAt: number) => () => saturate(contender, startAt, progress);
    const samples = await interleave({
      rounds: stage.rounds,
      progress,
      contenders: {
        ours: ramp(ours, 60_000),
        'bare uWS': ramp(bareUws(tripCount), 60_000),
        'bare uWS in bursts': ramp(bareUws(Number.POSITIVE_INFINITY), 60_000),
        'Socket.IO': ramp(socketIo, 12_000),
      },
      describe: describeThroughput,
    });
    const against = (baseline: keyof typeof samples, name: string, limits: readonly Limit[]) =>
      measureThroughput({
        scenario: 'fan-out',
        metric: 'frames delivered',
        ours: samples.ours,
        baseline: { name, samples: samples[baseline] },
        limits,
      });
    return [
      ...against('bare uWS', 'bare uWS publish', [{ ratioAtLeast: 0.9 }]),
      ...against('Socket.IO', 'Socket.IO, Redis adapter', [{ ratioAtLeast: 4 }]),
      ...against('bare uWS in bursts', 'bare uWS, bursts of 0.5 s', []),
    ];
  },
};

async function saturate({ pid, load, publish }: Contender, startAt: number, progress: Progress): Promise<Throughput> {
  const best = await raiseUntilSaturated({
    startAt,
    async measureAt(offered) {
      await publish(offered / socketsPerTrip);
      await sleepMs(settleMs);
      const delivered = await meterThroughput(pid, () => countFrames(load));
      progress(`  ${formatNumber(offered)} frames/s offered, ${describeThroughput(delivered)} delivered`);
      return delivered;
    },
  });
  await publish(0);
  await sleepMs(settleMs);
  return best;
}

/** @returns frames a second */
async function countFrames(load: LoadProcess): Promise<number> {
  const before = await load.call('listenerCounts');
  await sleepMs(windowMs);
  const after = await load.call('listenerCounts');
  if (after.endedSockets > 0) throw new Error(`${after.endedSockets} sockets were lost: ${after.lastEnd}`);
  return ((after.frames - before.frames) * 1000) / (after.atMs - before.atMs);
}

async function openOurs(stage: Stage, system: System): Promise<Contender> {
  await startTrips(await openLiveRedis(stage.scope, system.redis), tripCount);
  const realtime = await system.startRealtime();
  const publisher = await startHelper<FeedPublisherCommands>(stage.scope, {
    module: new URL('../harness/load/feed-publisher', import.meta.url),
  });
  await publisher.call('connect', system.redis);
  const load = await openListeners(stage, realtime.port, 'hushryd', (socket) =>
    // A rider may watch only his own trip, and his family watches with him: five sockets a person, as phones would have.
    system.issuer.token(riderId(socket % tripCount), 'rider'),
  );
  const run = Date.now();
  return {
    pid: realtime.pid,
    load,
    publish: (perSecond) =>
      perSecond === 0 ? publisher.call('stop') : publisher.call('publish', { drivers: tripCount, perSecond, run }),
  };
}

/** @returns the same server and sockets, publishing at most so many messages in one turn of its loop */
async function openBareUws(stage: Stage): Promise<(maxPerTurn: number) => Contender> {
  const server = await startHelper<BareUwsCommands>(stage.scope, {
    module: new URL('../harness/contenders/bare-uws', import.meta.url),
  });
  const load = await openListeners(stage, await server.call('listen'), 'hushryd', () => '');
  const messages = positionsOfTrips().map(({ topic, position }) => ({
    topic,
    frame: JSON.stringify({ type: 'position', topic, position }),
  }));
  return (maxPerTurn) => ({
    pid: server.pid,
    load,
    publish: (perSecond) =>
      perSecond === 0 ? server.call('stop') : server.call('publish', { messages, perSecond, maxPerTurn }),
  });
}

async function openSocketIo(stage: Stage, system: System): Promise<Contender> {
  const start = () =>
    startHelper<SocketIoCommands>(stage.scope, { module: new URL('../harness/contenders/socket-io', import.meta.url) });
  const [server, otherNode] = await Promise.all([start(), start()]);
  const redis = { redisUrl: system.redis.url, prefix: system.redis.prefix };
  const port = await server.call('listen', redis);
  await otherNode.call('listen', redis);
  const load = await openListeners(stage, port, 'socket.io', () => '');
  const messages = positionsOfTrips();
  return {
    pid: server.pid,
    load,
    publish: (perSecond) =>
      perSecond === 0 ? otherNode.call('stop') : otherNode.call('publish', { messages, perSecond }),
  };
}

async function openListeners(
  stage: Stage,
  port: number,
  protocol: 'hushryd' | 'socket.io',
  tokenOf: (socket: number) => string,
): Promise<LoadProcess> {
  const load = await startLoad(stage.scope);
  const tokens = Array.from({ length: tripCount }, (_, trip) => tokenOf(trip));
  const listeners = Array.from({ length: socketCount }, (_, socket) => ({
    token: tokens[socket % tripCount] as string,
    topics: [tripTopic(tripId(socket % tripCount))],
  }));
  await load.call('openListeners', { port, protocol, listeners });
  return load;
}

function positionsOfTrips(): { topic: string; position: Position }[] {
  return Array.from({ length: tripCount }, (_, trip) => {
    const { live: _live, ...fix } = fixAt(
      { lat: 41.151234, lng: -8.612345 },
      { seq: firstSeq, recordedAtMs: Date.now() },
    );
    const position: Position = {
      driverId: driverId(trip),
      tripId: tripId(trip),
      state: 'on_trip',
      run: Date.now(),
      ...fix,
    };
    return { topic: tripTopic(tripId(trip)), position };
  });
}
