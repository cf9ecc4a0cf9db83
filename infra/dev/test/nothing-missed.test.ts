import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '@hushryd/platform/testing/fault-proxy';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import t, { type Test } from 'tap';
import { checkTold, listenToNotices, startNumberedNotices, type Told } from './numbered-notices.ts';
import { startSystem } from './system.ts';

// G11: within the replay window everybody is told everything, once and in order, whatever happens to their connection. Nodes that die
// or drain stand in nodes.test.ts, Redis in its own fault tests.

const userIds = ['anna', 'berta', 'carla', 'dora'];
const healWithinMs = 60_000;
const system = await startSystem(t, { realtimes: 1 });
const notices = await startNumberedNotices(t, system, userIds);

/** One client a user, over a proxy of its own; from `url`, or the node of the system. */
async function connectAll(t: Test, url = system.realtimes[0]?.url as string) {
  return Promise.all(
    userIds.map(async (userId) => {
      const proxy = await startFaultProxy(t, { port: Number(new URL(url).port) });
      const client = createRiderClient({
        ...system.connectionOptions(userId, 'rider'),
        realtimeUrl: `ws://127.0.0.1:${proxy.port}`,
        silenceMs: 2000,
      });
      t.teardown(() => client.close());
      const told = listenToNotices(client, userId);
      await client.connect();
      return { userId, proxy, client, told };
    }),
  );
}

/** Waits until everybody has been told of the last number, and looks at how they came to it. */
async function settle(people: readonly { userId: string; told: Told }[]): Promise<void> {
  await waitFor(() => people.every(({ told }) => told.numbers.at(-1) === notices.lastNumber), {
    withinMs: healWithinMs,
    what: 'the last notice with everybody',
  }).catch((error: unknown) => {
    for (const { userId, told } of people) checkTold(userId, told, notices.lastNumber);
    throw error;
  });
  for (const { userId, told } of people) checkTold(userId, told, notices.lastNumber);
}

t.test('connections that are reset, go silent, or come through a straw', async (t) => {
  const people = await connectAll(t);
  await notices.say(5, 20);
  const saying = notices.say(150, 40);
  const [anna, berta, carla, dora] = people as [
    (typeof people)[0],
    (typeof people)[0],
    (typeof people)[0],
    (typeof people)[0],
  ];
  for (let round = 0; round < 4; round += 1) {
    anna.proxy.resetAll();
    berta.proxy.setFaults({ toClient: { isSilent: true } });
    carla.proxy.setFaults({ toServer: { isSilent: true }, toClient: { isSilent: true } });
    dora.proxy.setFaults({ toClient: { bytesPerSecond: 2000 } });
    await sleep(1200);
    for (const { proxy } of people) proxy.heal();
    await sleep(300);
  }
  await saying;
  await settle(people);
  t.strictSame(
    people.map(({ told }) => told.losses),
    [0, 0, 0, 0],
    'and nothing was given up',
  );
});

t.test('a client that was away longer than the log reaches back is told so', async (t) => {
  const people = await connectAll(t);
  const [anna] = people as [(typeof people)[0]];
  await notices.say(2, 10);
  await settle(people);
  anna.proxy.setFaults({ toClient: { isSilent: true }, toServer: { isSilent: true } });
  anna.proxy.resetAll();
  await waitFor(() => anna.client.state.name !== 'live', {
    withinMs: healWithinMs,
    what: 'the loss of the connection',
  });
  await notices.say(320, 1);
  anna.proxy.heal();
  anna.proxy.resetAll();
  await waitFor(() => anna.told.losses > 0, { withinMs: healWithinMs, what: 'the word that something is gone' });
  await notices.say(2, 10);
  await settle(people);
});

// A node that loses frames without a word, which TCP alone would never do.
const leakyMain = new URL('../../../services/realtime/test/leaky-main.ts', import.meta.url);

t.test('frames that a node loses without a word are noticed by the next one, or by the beacon', async (t) => {
  const { url } = await system.startRealtime(leakyMain, { LEAK: 'events' });
  const people = await connectAll(t, url);
  for (let round = 0; round < 4; round += 1) {
    await notices.say(11, 20);
    await settle(people);
  }
  t.ok(people.every(({ told }) => told.losses === 0));
});

t.test('without beacons the last word is missed, and the check says so', async (t) => {
  const { url } = await system.startRealtime(leakyMain, { LEAK: 'events and beacons' });
  const people = await connectAll(t, url);
  await t.rejects(async () => {
    for (let round = 0; round < 4; round += 1) {
      await notices.say(7, 20);
      await sleep(4000);
      for (const { userId, told } of people) checkTold(userId, told, notices.lastNumber);
    }
  }, /was told up to/);
});

t.test('a node that says it recovered what it did not is found out', async (t) => {
  const { url } = await system.startRealtime(leakyMain, { LEAK: 'what is recovered' });
  const people = await connectAll(t, url);
  await t.rejects(async () => {
    for (let round = 0; round < 6; round += 1) {
      const saying = notices.say(10, 30);
      for (const { proxy } of people) proxy.resetAll();
      await saying;
      await sleep(1000);
    }
    await sleep(3000);
    for (const { userId, told } of people) checkTold(userId, told, notices.lastNumber);
  }, /was told up to|holes/);
});
