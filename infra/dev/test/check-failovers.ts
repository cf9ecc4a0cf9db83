import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisSettings } from '@hushryd/platform/config/shared-environment';
import type { RedisNode } from '@hushryd/platform/engines/redis-topology';
import type { RedisVariables } from '@hushryd/platform/testing/redis-variables';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import type { Test } from 'tap';
import { compareHistory } from './compare-history.ts';
import { checkTold, startNumberedNotices } from './numbered-notices.ts';
import { type SystemService, startSystemOnRedis } from './system.ts';
import { type Journey, startTraffic } from './traffic.ts';

const healWithinMs = 100_000;
const soon = { withinMs: 30_000 };
/** Two seconds for drivers whose shard lives (F2), and as much again for a machine on which a dozen servers and services share two cores. */
const pauseWithinMs = 4000;
/** Five seconds until nothing is acknowledged and everybody knows (F1); the rest is the machine's. */
const toldWithinMs = 8000;
/** Longer than the nodes wait before they elect another primary. */
const hangMs = 5000;

/**
 * A primary of Redis is killed, hangs and comes back as a zombie, and is lost with a replica that was behind, while phones send and
 * riders watch. After each: all that was acknowledged durable is stored, what was received is readable, no position went back,
 * sockets stayed open, and no event was missed without a word. At the end a worker that acknowledges too early has to be found out.
 *
 * @param shard `primary` and `replica` change places with each failover; `isOnShard`: do this driver's positions lie there?
 */
export async function checkFailovers(
  t: Test,
  shard: {
    variables: RedisVariables;
    primary: RedisNode;
    replica: RedisNode;
    isOnShard: (settings: RedisSettings, driverId: string) => Promise<boolean>;
  },
): Promise<void> {
  let { primary, replica } = shard;
  const { system, mongo } = await startSystemOnRedis(t, shard.variables, {
    realtimes: 2,
    env: { HISTORY_FLUSH_MS: '100', HISTORY_POLL_MS: '100', MONGODB_DEADLINE_MS: '2000', PARTITION_LEASE_MS: '2000' },
  });
  const client = new MongoClient(system.mongoUrl);
  t.teardown(() => client.close());
  const traffic = await startTraffic(t, system, 8);
  const { journeys } = traffic;
  const onShard = await Promise.all(journeys.map(({ driverId }) => shard.isOnShard(system.redis, driverId)));
  const hit = journeys.filter((_, index) => onShard[index]);
  const spared = journeys.filter((_, index) => !onShard[index]);
  t.comment(`${hit.length} drivers on the shard, ${spared.length} on others`);
  t.ok(hit.length > 0);

  const userId = 'listener';
  const listener = createRiderClient(system.connectionOptions(userId, 'rider', 1));
  t.teardown(() => listener.close());
  const notices = await startNumberedNotices(t, system, [userId]);
  const told = notices.listen(listener, userId);
  await listener.connect();
  await waitFor(() => told.first, { ...soon, what: 'the subscription' });
  // A notice may be on its way to a Redis that dies: said again with the next number, as anybody would.
  const sayOne = () => waitFor(() => notices.say(1, 0).then(() => true), { ...soon, what: 'a notice to be taken' });

  traffic.move();
  await waitFor(() => traffic.durableCount() > 50, { ...soon, what: 'fixes that are durable' });
  await sayOne();

  await t.test('killed', (t) =>
    failOver(t, { away: () => primary.faults.kill9(), back: () => primary.faults.restart() }),
  );

  await t.test('hung, and a zombie afterwards', (t) =>
    failOver(t, {
      async away() {
        primary.faults.pause();
        await sleep(hangMs);
        primary.faults.resume();
      },
      back: async () => undefined,
    }),
  );

  await t.test('killed, and its replica was behind: phones send again what they keep', async (t) => {
    mongo.faults.pause();
    const received = hit.map(({ heard }) => heard.phone.received);
    await failOver(t, {
      async before() {
        await leaveBehind();
        await sayOne();
        await waitFor(() => hit.every(({ heard }, index) => heard.phone.received > (received[index] as number) + 5), {
          ...soon,
          what: 'fixes received that no replica has',
        });
      },
      async away() {
        await primary.faults.kill9();
        replica.faults.resume();
        mongo.faults.resume();
      },
      back: () => primary.faults.restart(),
    });
    t.comment(`the listener was told of ${told.losses} losses so far`);
  });

  await t.test('control: a worker that acknowledges before it stores is found out', async (t) => {
    const [good] = system.workers as [SystemService];
    await good.process.terminate();
    const broken = await system.startWorker(new URL('../../../services/worker/test/broken-main.ts', import.meta.url));
    traffic.move();
    const before = traffic.durableCount();
    await leaveBehind();
    await waitFor(() => traffic.durableCount() > before + 20, { ...soon, what: 'fixes that are said to be durable' });
    await primary.faults.kill9();
    await broken.kill9();
    replica.faults.resume();
    await good.restart();
    await traffic.settle(healWithinMs);
    const { lost } = await compareHistory({ client, database: system.database }, journeys);
    t.ok(lost.length > 0, `${lost.length} fixes that phones forgot are nowhere`);
  });

  /** From here on the primary acknowledges what no replica has. */
  async function leaveBehind(): Promise<void> {
    replica.faults.pause();
    await onNode(primary, (node) => node.call('CLIENT', 'KILL', 'TYPE', 'replica'));
  }

  async function failOver(
    t: Test,
    fault: { before?: () => Promise<void>; away: () => Promise<void>; back: () => Promise<void> },
  ): Promise<void> {
    await waitFor(async () => /master_link_status:up/.test(await onNode(replica, (node) => node.info('replication'))), {
      withinMs: healWithinMs,
      what: 'the replica in step',
    });
    traffic.move();
    const before = journeys.map(({ heard }) => ({ ...heard.phone, riderSockets: heard.rider.sockets }));
    const timesAway = (journey: Journey) =>
      journey.heard.phone.timesAway - (before[journeys.indexOf(journey)]?.timesAway ?? 0);

    await fault.before?.();
    const pauses = watchPauses(spared);
    const away = fault.away();
    await waitFor(() => hit.every((journey) => timesAway(journey) > 0), {
      withinMs: toldWithinMs,
      what: 'word that live data is away',
    });
    const answered = spared.map(({ heard }) => heard.phone.received);
    await waitFor(() => spared.every(({ heard }, index) => heard.phone.received > (answered[index] as number) + 3), {
      ...soon,
      what: 'answers to drivers on other shards',
    });
    const isStillAway = hit.some(({ heard }) => !heard.phone.isLive);
    t.ok(spared.length === 0 || isStillAway, 'drivers on other shards go on meanwhile');
    await away;
    await waitFor(() => hit.every(({ heard }) => heard.phone.isLive && heard.rider.isLive), {
      withinMs: healWithinMs,
      what: 'word that live data is back',
    });
    const longestMs = Math.round(pauses.end());
    t.ok(longestMs <= pauseWithinMs, `longest pause of ${spared.length} drivers on other shards: ${longestMs} ms`);
    await fault.back();
    [primary, replica] = [replica, primary];
    await expectPeace(t);

    t.strictSame(
      journeys.map(({ heard }) => [heard.phone.sockets, heard.rider.sockets]),
      before.map(({ sockets, riderSockets }) => [sockets, riderSockets]),
      'sockets stayed open',
    );
  }

  async function expectPeace(t: Test): Promise<void> {
    await traffic.settle(healWithinMs);
    const findings = await compareHistory({ client, database: system.database }, journeys);
    t.strictSame(findings, { lost: [], phantom: [], altered: [] }, `${traffic.durableCount()} fixes durable`);
    t.ok(journeys.every(({ fixes }) => [...fixes.values()].every(({ outcome }) => outcome === 'ok')));
    t.strictSame(
      journeys.flatMap(({ heard }) => heard.rider.backwards),
      [],
      'no position went back',
    );
    for (const { tripId, view } of journeys) {
      const { location } = (await system.http('operator', 'operator').getTripLocation(tripId, {})) as {
        location: unknown;
      };
      t.match(location, { run: view.position?.run, seq: view.position?.seq }, `${tripId} is readable`);
    }
    // The first event after a failover may be among those that are said to be gone; from the next one on all goes on.
    const { losses } = told;
    await sayOne();
    await waitFor(() => told.numbers.at(-1) === notices.lastNumber || told.losses > losses, {
      ...soon,
      what: `notice ${notices.lastNumber}, or word that some are gone`,
    });
    await sayOne();
    await waitFor(() => told.numbers.at(-1) === notices.lastNumber, { ...soon, what: `notice ${notices.lastNumber}` });
    checkTold(userId, told, notices.lastNumber);
  }
}

/** How long phones wait between two answers to their fixes. */
function watchPauses(journeys: readonly Journey[]) {
  const seen = new Map(journeys.map((journey) => [journey, { received: -1, atMs: performance.now() }]));
  let longestMs = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (const [{ heard }, last] of seen) {
      if (heard.phone.received === last.received) continue;
      longestMs = Math.max(longestMs, nowMs - last.atMs);
      Object.assign(last, { received: heard.phone.received, atMs: nowMs });
    }
  }, 20);
  timer.unref();
  return {
    end() {
      clearInterval(timer);
      return longestMs;
    },
  };
}

async function onNode<Result>({ port }: RedisNode, work: (node: Redis) => Promise<Result>): Promise<Result> {
  const node = new Redis({ port, commandTimeout: 2000, retryStrategy: () => null });
  node.on('error', () => undefined); // The command fails with it.
  try {
    return await work(node);
  } finally {
    node.disconnect();
  }
}
