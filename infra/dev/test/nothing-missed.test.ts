import { setTimeout as sleep } from 'node:timers/promises';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { startFaultProxy } from '@hushryd/platform/testing/fault-proxy';
import { areSeveralServers, pickRedisVariables } from '@hushryd/platform/testing/redis-variables';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { countClosed } from './count-sockets.ts';
import { withoutMessages } from './deaf-subscriptions.ts';
import { connectListeners, type NoticeListener, settle } from './notice-listeners.ts';
import { startNumberedNotices } from './numbered-notices.ts';
import { type SystemService, startSystem } from './system.ts';

// G11: within the replay window everybody is told everything, once and in order, whatever happens to their connection, or to what their
// node hears of Redis (F11). What a node loses by itself stands in silent-loss.test.ts, nodes that die or drain in nodes.test.ts, a Redis
// that dies in its own fault tests. HUSHRYD_FULL=1: for longer.

const healWithinMs = 60_000;
/** Three seconds after it is noticed, which takes a round of the probe, and what a busy machine adds. */
const resubscribedWithinMs = 10_000;
const rounds = process.env.HUSHRYD_FULL === '1' ? 30 : 4;
const system = await startSystem(t, { realtimes: 1 });
const [node] = system.realtimes as [SystemService];
const { url } = node;

t.test('connections that are reset, go silent, or come through a straw', async (t) => {
  const userIds = ['anna', 'berta', 'carla', 'dora'];
  const notices = await startNumberedNotices(t, system, userIds);
  const people = await connectListeners(t, system, { url, userIds, notices });
  await notices.say(5, 20);
  // Whoever is cut off again and again comes back ever later, up to ten seconds, and the log keeps 300.
  const saying = notices.say(rounds * 15, 100);
  const [anna, berta, carla, dora] = people as [NoticeListener, NoticeListener, NoticeListener, NoticeListener];
  for (let round = 0; round < rounds; round += 1) {
    anna.proxy.resetAll();
    berta.proxy.setFaults({ toClient: { isSilent: true } });
    carla.proxy.setFaults({ toServer: { isSilent: true }, toClient: { isSilent: true } });
    dora.proxy.setFaults({ toClient: { bytesPerSecond: 2000 } });
    await sleep(1200);
    for (const { proxy } of people) proxy.heal();
    await sleep(300);
  }
  await saying;
  await settle(people, notices);
  t.strictSame(
    people.map(({ told }) => told.losses),
    [0, 0, 0, 0],
    'and nothing was given up',
  );
  t.ok(anna.told.subscriptions > 1, 'who was cut off came back');
});

t.test('who reads too slowly is closed, comes back, and is told the rest', async (t) => {
  const userIds = ['emma', 'fiona'];
  const notices = await startNumberedNotices(t, system, userIds);
  const people = await connectListeners(t, system, { url, userIds, notices });
  const [slow, quick] = people as [NoticeListener, NoticeListener];
  slow.proxy.setFaults({ toClient: { bytesPerSecond: 50_000 } });
  // Fewer than the log keeps, and more bytes than kernels and the proxy hold between a node and who does not read.
  await notices.say(280, 5, 32_000);
  await waitFor(async () => (await countClosed(node.process, closeCodes.slowConsumer)) > 0, {
    withinMs: healWithinMs,
    what: 'the end of the slow socket',
  });
  slow.proxy.heal();
  await settle(people, notices);
  t.strictSame(
    people.map(({ told }) => told.losses),
    [0, 0],
    'and nothing was given up',
  );
  t.ok(slow.told.subscriptions > 1, 'it came back');
  t.equal(quick.told.subscriptions, 1, 'the other one stayed');
});

t.test('a client that was away longer than the log reaches back is told so', async (t) => {
  const userIds = ['gerda', 'hanna'];
  const notices = await startNumberedNotices(t, system, userIds);
  const people = await connectListeners(t, system, { url, userIds, notices });
  const [away] = people as [NoticeListener];
  await notices.say(2, 10);
  await settle(people, notices);
  away.proxy.setFaults({ toClient: { isSilent: true }, toServer: { isSilent: true } });
  away.proxy.resetAll();
  await waitFor(() => away.client.state.name !== 'live', {
    withinMs: healWithinMs,
    what: 'the loss of the connection',
  });
  await notices.say(320, 1);
  away.proxy.heal();
  away.proxy.resetAll();
  await waitFor(() => away.told.losses > 0, { withinMs: healWithinMs, what: 'the word that something is gone' });
  await notices.say(2, 10);
  await settle(people, notices);
  t.strictSame(
    people.map(({ told }) => told.losses),
    [1, 0],
  );
});

t.test('a node whose subscriptions starve tells all that it did not hear', { skip: whyNoStraw() }, async (t) => {
  const { hostname, port } = new URL(system.redisUrl);
  const redis = await startFaultProxy(t, {
    host: hostname,
    port: Number(port),
    marks: (chunk) => chunk.includes('ssubscribe'),
  });
  const behind = new URL(system.redisUrl);
  behind.host = `127.0.0.1:${redis.port}`;
  const starved = await system.startRealtime(new URL('../../../services/realtime/dist/main.js', import.meta.url), {
    REDIS_URL: behind.href,
  });
  const userIds = ['ida', 'jana'];
  const notices = await startNumberedNotices(t, system, userIds);
  const people = await connectListeners(t, system, { url: starved.url, userIds, notices });
  await notices.say(2, 10);
  await settle(people, notices);

  const starvations = [
    // A network in one direction: what the node asks is heard, nothing comes back.
    { isSilent: true },
    { leaves: withoutMessages },
  ];
  for (const toClient of Array.from({ length: Math.ceil(rounds / 8) }, () => starvations).flat()) {
    const left = redis.breakMarked({ toClient });
    t.ok(left() > 0, `${left()} subscriptions hear nothing more`);
    const brokenAtMs = performance.now();
    const saying = notices.say(10, 100);
    await waitFor(() => left() === 0, { withinMs: resubscribedWithinMs, what: 'new connections' });
    t.comment(`connected anew after ${Math.round(performance.now() - brokenAtMs)} ms`);
    await saying;
    await settle(people, notices);
  }
  t.strictSame(
    people.map(({ told, client }) => [told.losses, client.state.name]),
    [
      [0, 'live'],
      [0, 'live'],
    ],
    'and nothing was given up',
  );
});

/** Where Redis is several servers, subscriptions go past the proxy to those that they name themselves. */
function whyNoStraw(): string | false {
  return (
    areSeveralServers(pickRedisVariables(process.env)) && 'Redis is several servers: only one can stand behind a proxy'
  );
}
