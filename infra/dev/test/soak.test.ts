import { setTimeout as sleep } from 'node:timers/promises';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { Redis } from 'ioredis';
import t from 'tap';
import { openPlainSocket } from './plain-socket.ts';
import { footprintOf } from './process-footprint.ts';
import { type SystemService, startSystemOnOwnEngines } from './system.ts';
import { startTraffic } from './traffic.ts';

// G26: sockets that come and go leave nothing behind. Twenty seconds here; `npm run soak -- --minutes N` goes on for longer.

const minutes = Number(process.env.SOAK_MINUTES ?? 1 / 3);
const socketsAtOnce = 20;
const sampleEveryMs = 1000;
/** What V8 and malloc keep for themselves is no leak; more than this, from one part of the run to another, is. */
const toleratedGrowthBytes = 24 * 2 ** 20;
const settleWithinMs = 60_000;

const { system, redis } = await startSystemOnOwnEngines(t, {
  realtimes: 2,
  env: { MAX_SOCKETS_PER_USER: '100', HISTORY_FLUSH_MS: '200' },
});
const admin = new Redis(redis.url);
t.teardown(() => admin.disconnect());
const traffic = await startTraffic(t, system, 4);
traffic.move();
const processes: [name: string, service: SystemService][] = [
  ...system.apis.map((api, index): [string, SystemService] => [`api ${index}`, api]),
  ...system.realtimes.map((node, index): [string, SystemService] => [`realtime ${index}`, node]),
  ...system.workers.map((worker, index): [string, SystemService] => [`worker ${index}`, worker]),
];

/** One client's short life: it watches, drives or only looks in, and leaves politely or not. */
async function comeAndGo(turn: number): Promise<void> {
  const { tripId, passengerId, driverId } = traffic.journeys[
    turn % traffic.journeys.length
  ] as (typeof traffic.journeys)[0];
  const { url } = system.realtimes[turn % system.realtimes.length] as SystemService;
  const isDriver = turn % 3 === 0;
  const userId = isDriver ? `churn-${turn % 50}` : passengerId;
  const socket = await openPlainSocket(url, system.token(userId, isDriver ? 'driver' : 'rider'));
  if (isDriver) {
    const { run } = await socket.request({ type: 'hello' }, 'welcome');
    const fix = { seq: 1, recordedAtMs: Date.now(), lat: 41, lng: -8 };
    await socket.request({ type: 'loc', run, from: 1, fixes: [fix] }, 'recv');
  } else {
    await socket.request({ type: 'sub', topic: tripTopic(tripId) }, 'subscribed');
    await socket.waitFor('position', ({ position }) => position.driverId === driverId);
  }
  await socket.close();
}

interface Sample {
  readonly resident: ReadonlyMap<string, number>;
}

const sample = (): Sample => ({
  resident: new Map(processes.map(([name, { process }]) => [name, footprintOf(process.pid).residentBytes])),
});

/** Connections to Redis, channels subscribed to, and sockets that users still hold. */
async function redisState() {
  const clients = String(await admin.client('LIST'))
    .trim()
    .split('\n').length;
  const channels = (await admin.call('PUBSUB', 'SHARDCHANNELS')) as string[];
  const leases = (await admin.keys(`${system.redisPrefix}sockets:churn-*`)).length;
  return { clients, channels: channels.length, leases };
}

t.test('sockets that come and go leave nothing behind', async (t) => {
  let turn = 0;
  const untilMs = Date.now() + minutes * 60_000;
  const lane = async () => {
    while (Date.now() < untilMs) {
      turn += 1;
      await comeAndGo(turn);
    }
  };
  // Pools of connections grow with what happens at once, and stay: they are there before the baseline is taken.
  await Promise.all(
    Array.from({ length: 2 * socketsAtOnce }, async (_, one) => {
      for (let warm = 0; warm < 5; warm += 1) await comeAndGo(one + warm);
    }),
  );
  const descriptors = () =>
    processes.map(([name, { process }]) => [name, footprintOf(process.pid).descriptors] as const);
  const before = { descriptors: new Map(descriptors()), redis: await redisState() };

  const samples: Sample[] = [];
  const lanes = Promise.all(Array.from({ length: socketsAtOnce }, lane));
  let isOver = false;
  const sampling = (async () => {
    while (!isOver) {
      samples.push(sample());
      await sleep(sampleEveryMs);
    }
  })();
  await lanes;
  isOver = true;
  await sampling;
  t.comment(`${turn} sockets came and went in ${minutes} minutes`);

  await waitFor(
    () => {
      const above = descriptors().filter(([name, count]) => count > (before.descriptors.get(name) ?? 0) + 4);
      if (above.length > 0) throw new Error(String(above));
      return true;
    },
    { withinMs: settleWithinMs, what: `descriptors back at ${JSON.stringify([...before.descriptors])}` },
  );
  await waitFor(
    async () => {
      const now = await redisState();
      return now.leases === 0 && now.channels === before.redis.channels && now.clients <= before.redis.clients;
    },
    { withinMs: settleWithinMs, what: `Redis back at ${JSON.stringify(before.redis)}` },
  );

  // The lower edge of what is resident, in the second and the last quarter: garbage comes and goes above it.
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  for (const [name] of processes) {
    const lowest = (part: readonly Sample[]) => Math.min(...part.map(({ resident }) => resident.get(name) ?? 0));
    const grown = lowest(samples.slice(-quarter)) - lowest(samples.slice(quarter, 2 * quarter));
    t.comment(`${name} grew by ${(grown / 2 ** 20).toFixed(1)} MiB`);
    t.ok(grown < toleratedGrowthBytes, `${name}: ${grown} bytes`);
  }
  t.ok(traffic.journeys.every(({ heard }) => heard.phone.backwards.length + heard.rider.backwards.length === 0));
  await traffic.settle(settleWithinMs);
});
