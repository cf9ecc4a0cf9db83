import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ownRedis } from '@hushryd/platform/testing/engines';
import { startFaultProxy } from '@hushryd/platform/testing/fault-proxy';
import { waitFor, within } from '@hushryd/platform/testing/wait-for';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import t, { type Test } from 'tap';
import { compareHistory } from './compare-history.ts';
import { type SystemService, startSystemOnRedis } from './system.ts';
import { type Journey, startTraffic } from './traffic.ts';

// A Redis that is there, and is no help: slow (F5), refusing writes (F8), or cut off from one node of two (F4). Phones keep what was not
// acknowledged, and afterwards nothing is lost. A Redis that dies or hangs stands in faults.test.ts.

const healWithinMs = 60_000;
const soon = { withinMs: 30_000 };
/** F1: five seconds until everybody knows; the rest is for a machine that is shared. */
const toldWithinMs = 8000;

t.test('a Redis that is there and no help', { timeout: 300_000 }, async (t) => {
  const redis = await ownRedis(t);
  const proxy = await startFaultProxy(t, { port: Number(new URL(redis.url).port) });
  const admin = new Redis(redis.url);
  t.teardown(() => admin.disconnect());
  // The second node reaches Redis by a network of its own.
  const { system } = await startSystemOnRedis(
    t,
    { REDIS_URL: redis.url },
    {
      realtimes: 2,
      env: { HISTORY_FLUSH_MS: '100', HISTORY_POLL_MS: '100' },
      realtimeEnv: (index) => (index === 1 ? { REDIS_URL: `redis://127.0.0.1:${proxy.port}` } : {}),
    },
  );
  const client = new MongoClient(system.mongoUrl);
  t.teardown(() => client.close());
  const traffic = await startTraffic(t, system, 6);
  const { journeys } = traffic;
  // Phones of even journeys are on the first node, and their riders on the second; of odd ones the other way round.
  const [whole, cut] = [0, 1].map((rest) => journeys.filter((_, index) => index % 2 === rest)) as [
    Journey[],
    Journey[],
  ];
  const healthOf = async ({ url }: SystemService) =>
    ((await (await fetch(`${url}/health`)).json()) as { status: string }).status;
  const receivedBy = (of: readonly Journey[]) => of.map(({ heard }) => heard.phone.received);
  const goOn = (of: readonly Journey[], count: number, what: string) => {
    const before = receivedBy(of);
    return waitFor(() => receivedBy(of).every((received, index) => received >= (before[index] as number) + count), {
      ...soon,
      what,
    });
  };
  const areTold = (isLive: boolean, of: { isLive: boolean }[]) =>
    waitFor(() => of.every((heard) => heard.isLive === isLive), {
      withinMs: toldWithinMs,
      what: `word that live data is ${isLive ? 'back' : 'away'}`,
    });
  const allHeard = journeys.flatMap(({ heard }) => [heard.phone, heard.rider]);

  async function expectPeace(t: Test): Promise<void> {
    await traffic.settle(healWithinMs);
    const findings = await compareHistory({ client, database: system.database }, journeys);
    t.strictSame(findings, { lost: [], phantom: [], altered: [] }, `${traffic.durableCount()} fixes durable`);
    t.ok(
      journeys.every(({ fixes }) => [...fixes.values()].every(({ outcome }) => outcome === 'ok')),
      'all is durable',
    );
    t.strictSame(
      journeys.flatMap(({ heard }) => heard.rider.backwards),
      [],
      'no position went back',
    );
    for (const service of system.realtimes) t.equal(await healthOf(service), 'up');
  }

  await t.test('F5: answers that take 200 ms are waited for', async (t) => {
    traffic.move();
    await goOn(journeys, 5, 'fixes that are received');
    proxy.setFaults({ toClient: { delayMs: 200, jitterMs: 50 } });
    const seen = journeys.map(({ view }) => view.positions);
    await goOn(cut, 20, 'fixes that are received late');
    await waitFor(() => journeys.every(({ view }, index) => view.positions > (seen[index] as number) + 10), {
      ...soon,
      what: 'everybody moving, as riders see it',
    });
    proxy.heal();
    await expectPeace(t);
  });

  await t.test('F5: a Redis that does nothing for three seconds is away, and comes back', async (t) => {
    traffic.move();
    await goOn(journeys, 5, 'fixes that are received');
    // As DEBUG SLEEP, which a Redis of today refuses to take from clients.
    await admin.call('CLIENT', 'PAUSE', '3000', 'ALL');
    await areTold(false, allHeard);
    await expectPeace(t);
  });

  /** It reads and answers, and takes no write. */
  async function expectNoAcks(t: Test, refusal: { begin: () => Promise<unknown>; end: () => Promise<unknown> }) {
    traffic.move();
    await goOn(journeys, 5, 'fixes that are received');
    await refusal.begin();
    await areTold(
      false,
      journeys.map(({ heard }) => heard.phone),
    );
    const received = receivedBy(journeys);
    const kept = journeys.map(({ phone }) => phone.pendingCount);
    await waitFor(() => journeys.every(({ phone }, index) => phone.pendingCount > (kept[index] as number) + 20), {
      ...soon,
      what: 'fixes that phones keep',
    });
    t.strictSame(receivedBy(journeys), received, 'nothing was acknowledged meanwhile');
    const health = await Promise.all(system.realtimes.map(healthOf));
    await refusal.end();
    await areTold(true, allHeard);
    await expectPeace(t);
    return health;
  }

  await t.test(
    'F8: a disk that takes no snapshot (MISCONF): nothing is acknowledged, and health says so',
    async (t) => {
      const [, folder] = (await admin.config('GET', 'dir')) as [string, string];
      // Where the snapshot is to stand: it can be written, and not put in its place.
      const obstacle = join(folder, 'dump.rdb');
      const snapshotIs = (status: string) =>
        waitFor(async () => (await admin.info('persistence')).includes(`rdb_last_bgsave_status:${status}`), {
          ...soon,
          what: `a snapshot that ends with ${status}`,
        });
      const health = await expectNoAcks(t, {
        async begin() {
          await rm(obstacle, { force: true });
          await mkdir(join(obstacle, 'in-the-way'), { recursive: true });
          await admin.config('SET', 'save', '86400 1000000');
          await admin.call('BGSAVE');
          await snapshotIs('err');
        },
        async end() {
          await rm(obstacle, { recursive: true });
          await admin.call('BGSAVE');
          await snapshotIs('ok');
          await admin.config('SET', 'save', '');
        },
      });
      t.strictSame(health, ['degraded', 'degraded']);
    },
  );

  await t.test(
    'a primary without the replica that it needs refuses writes: nothing is acknowledged, and health says so',
    async (t) => {
      const health = await expectNoAcks(t, {
        begin: () => admin.config('SET', 'min-replicas-to-write', '1'),
        end: () => admin.config('SET', 'min-replicas-to-write', '0'),
      });
      t.strictSame(health, ['degraded', 'degraded'], 'though PING is answered all the same');
    },
  );

  await t.test('F6: an fsync that takes three seconds', { skip: whyNoStrace() }, async (t) => {
    traffic.move();
    await goOn(journeys, 5, 'fixes that are received');
    const slowSync = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=3000000'];
    const strace = spawn('strace', ['-f', '-p', String(redis.pid), ...slowSync], { stdio: 'ignore' });
    t.teardown(() => strace.kill());
    const ended = once(strace, 'exit');
    // This Redis syncs each write before it answers, so that all wait for the disk.
    await areTold(false, allHeard);
    strace.kill();
    await within(ended, { ...soon, what: 'the end of strace' });
    await expectPeace(t);
  });

  await t.test('F4: a node that is cut off from Redis says so, and the other one goes on', async (t) => {
    traffic.move();
    await goOn(journeys, 5, 'fixes that are received');
    const before = whole.map(({ heard }) => heard.phone.timesAway);
    proxy.setFaults({ toServer: { isSilent: true }, toClient: { isSilent: true } });
    await areTold(false, [...cut.map(({ heard }) => heard.phone), ...whole.map(({ heard }) => heard.rider)]);
    t.equal(await healthOf(system.realtimes[1] as SystemService), 'degraded');
    const received = receivedBy(cut);
    await goOn(whole, 20, 'fixes over the other node');
    t.strictSame(receivedBy(cut), received, 'nothing was acknowledged by the node that is cut off');
    t.strictSame(
      whole.map(({ heard }) => heard.phone.timesAway),
      before,
      'who is on the other node is not troubled',
    );
    proxy.heal();
    await areTold(true, allHeard);
    await expectPeace(t);
  });
});

void t.test('F25: clocks that step', { skip: 'needs libfaketime, which is not installed here' }, async () => undefined);

/** It has to be there, and to be allowed to look into another process. */
function whyNoStrace(): string | false {
  const { status } = spawnSync('strace', ['-e', 'trace=none', 'true'], { stdio: 'ignore' });
  return status !== 0 && 'needs strace, and the right to trace';
}
