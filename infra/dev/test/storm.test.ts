import { waitFor } from '@hushryd/platform/testing/wait-for';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { longestHoldMs } from './count-sockets.ts';
import { closeAll, findMissed, gatherCrowd, isBack, isToldEverything, openNews, type Watcher } from './crowd.ts';
import { openFrontDoor, portsOf, throughDoor, whyNoFrontDoor } from './open-front-door.ts';
import { type SystemService, startSystemOnOwnEngines } from './system.ts';
import { startTraffic } from './traffic.ts';

// Everybody on one node is dropped at once and comes back at once: within 15 s, without a crowd of reads in MongoDB, and without those
// on the other nodes noticing. HUSHRYD_FULL=1: 10,000 clients instead of 1,000.

const isFull = process.env.HUSHRYD_FULL === '1';
const stormSize = isFull ? 10_000 : 1000;
/** A front door has two descriptors a connection, and 20,000 of them. */
const doors = isFull ? 2 : 1;
const trips = isFull ? 1000 : 200;
const quietSize = 60;
const backWithinMs = 15_000;
const settleWithinMs = 60_000;
const skip = await whyNoFrontDoor();

t.test('a storm of reconnects', { skip, timeout: 600_000 }, async (t) => {
  const { system } = await startSystemOnOwnEngines(t, { apis: 2, realtimes: 3, env: { HISTORY_FLUSH_MS: '500' } });
  const [struck, ...others] = system.realtimes as [SystemService, SystemService, SystemService];
  const client = new MongoClient(system.mongoUrl);
  t.teardown(() => client.close());
  const news = await openNews(system.http('operator', 'operator'), { trips });

  // The quiet ones and the drivers are on the nodes that stay.
  const staying = { ...system, realtimes: others, connectionOptions: onNode(1) };
  const traffic = await startTraffic(
    t,
    { ...staying, connectionOptions: (id, role, n = 0) => onNode(n + 1)(id, role) },
    4,
  );
  const quiet = await gatherCrowd(staying, { size: quietSize, tripIds: news.tripIds, name: 'quiet' });
  const crowd: Watcher[] = [];
  t.teardown(() => closeAll([...quiet, ...crowd]));
  const openDoors = await Promise.all(
    Array.from({ length: doors }, () => openFrontDoor(t, { apis: portsOf(system.apis), realtimes: portsOf([struck]) })),
  );
  for (const [index, door] of openDoors.entries()) {
    const options = {
      size: stormSize / doors,
      tripIds: news.tripIds,
      name: `storm-${index}`,
      role: 'operator',
    } as const;
    crowd.push(...(await gatherCrowd(throughDoor(system, door), options)));
    for (const [node, port] of portsOf(others).entries()) {
      await door.admin.addServer({ backend: 'realtime', name: `other${node}`, port });
    }
    await waitFor(async () => Object.values(await door.admin.readStates('realtime')).every((state) => state === 'UP'), {
      withinMs: 10_000,
      what: 'all nodes in service',
    });
  }

  const { instanceId } = await struck.process.waitForLog('listening');
  traffic.move();
  const stopPublishing = news.keepPublishing();
  await waitFor(() => traffic.durableCount() > 20, { withinMs: settleWithinMs, what: 'fixes that are durable' });
  const usualReadsPerMs = await measureUsualReads();
  const readsBefore = await countReads();
  const unrestBefore = describeUnrest();
  const triesBefore = crowd.reduce((sum, { tries }) => sum + tries, 0);

  const holdsMs = () => Promise.all(others.map(({ process }) => longestHoldMs(process)));
  await holdsMs();

  const startedAtMs = performance.now();
  await struck.process.kill9();
  const isElsewhere = (watcher: Watcher) => isBack(watcher) && watcher.node !== instanceId;
  await waitFor(() => crowd.every(isElsewhere), { withinMs: backWithinMs, what: 'everybody back' }).catch((cause) => {
    throw new Error(`${crowd.filter(isElsewhere).length} of ${crowd.length} are back`, { cause });
  });
  const tookMs = performance.now() - startedAtMs;
  const allReads = (await countReads()) - readsBefore;
  const reads = Math.max(0, Math.round(allReads - usualReadsPerMs * (performance.now() - startedAtMs)));
  const tries = crowd.reduce((sum, watcher) => sum + watcher.tries, 0) - triesBefore;
  const told = await stopPublishing();

  t.comment(
    `${stormSize} clients back after ${(tookMs / 1000).toFixed(1)} s, ${(tries / stormSize).toFixed(2)} tries each`,
  );
  t.comment(`event loops held at most ${(await holdsMs()).map(Math.round).join(' and ')} ms`);
  t.comment(`${allReads} reads of MongoDB, of which ${reads} more than usual; ${told} events published`);
  t.ok(reads <= stormSize / 100, `${reads} reads of MongoDB for ${stormSize} clients`);
  await traffic.settle(settleWithinMs);
  await waitFor(() => isToldEverything([...crowd, ...quiet], news), {
    withinMs: settleWithinMs,
    what: 'the last event',
  });
  t.strictSame(findMissed([...crowd, ...quiet], news).slice(0, 5), [], 'nobody missed an event');
  t.ok(
    quiet.every(({ tries }) => tries === 1),
    'who was on another node stayed there',
  );
  t.strictSame(describeUnrest(), unrestBefore, 'drivers on other nodes were acknowledged all the time');

  const operator = system.http('operator', 'operator');
  const asked = await countReads();
  await Promise.all(Array.from({ length: 50 }, (_, index) => operator.getTrip(news.tripIds[index] as string)));
  t.ok((await countReads()) - asked >= 50, 'the count sees clients that read');

  function describeUnrest() {
    return traffic.journeys.map(({ heard }) => ({ sockets: heard.phone.sockets, timesAway: heard.phone.timesAway }));
  }

  function onNode(node: number): typeof system.connectionOptions {
    return (userId, role) => system.connectionOptions(userId, role, node);
  }

  /** Publishing and storing fixes read as well. @returns reads a millisecond while nobody comes back */
  async function measureUsualReads(): Promise<number> {
    const [before, fromMs, already] = [await countReads(), performance.now(), news.toldCount()];
    await waitFor(() => news.toldCount() >= already + 20, {
      withinMs: settleWithinMs,
      what: 'a stretch of usual work',
    });
    return ((await countReads()) - before) / (performance.now() - fromMs);
  }

  async function countReads(): Promise<number> {
    const { opcounters } = await client.db('admin').command({ serverStatus: 1 });
    return Number(opcounters.query) + Number(opcounters.getmore);
  }
});
