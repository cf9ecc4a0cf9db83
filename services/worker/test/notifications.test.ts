import { type NotificationDocument, notificationLanes } from '@hushryd/outreach/notifications/notification-document';
import { openWorker } from '@hushryd/platform/queues/open-worker';
import { createRandom } from '@hushryd/platform/testing/random';
import type { ServiceProcess } from '@hushryd/platform/testing/service-process';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { openNotificationWorkers } from './notification-workers.ts';

// P-4: workers die at random, and whatever was recorded, and every job that was taken, ends sent, or failed and visible.
// HUSHRYD_FULL=1: 10,000 messages and eight workers.

const isFull = process.env.HUSHRYD_FULL === '1';
const workerCount = isFull ? 8 : 2;
const notificationCount = isFull ? 10_000 : 500;
const leastKills = isFull ? 20 : 3;
const endWithinMs = isFull ? 480_000 : 120_000;
/** Requests under way at once. */
const askerCount = 8;
const wrongNumbers = 5;

const { sandbox, queues, connections, keys, log, added, notifications, notifyAt, startWorker } =
  await openNotificationWorkers(t);
const notify = notifyAt(Date.now);

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Asked {
  to: string;
  recordId: string;
}
let askedCount = 0;

async function askFor(count: number): Promise<Asked[]> {
  const asked: Asked[] = [];
  const waiting = Array.from({ length: count }, () => `+91980${String(askedCount++).padStart(7, '0')}`);
  const ask = async () => {
    for (let to = waiting.shift(); to !== undefined; to = waiting.shift()) {
      const request = {
        recipient: { addresses: { sms: to } },
        template: 'ride_ended',
        class: asked.length % 3 === 0 ? 'high' : 'normal',
        channels: ['sms'],
        idempotencyKey: `of-${to}`,
        variables: { person: 'Asha' },
      } as const;
      // Who hears nothing asks again; the key makes it the same.
      const [notified] = await waitFor(() => notify(request), { withinMs: 60_000, what: 'a recorded notification' });
      asked.push({ to, recordId: notified?.recordId ?? '' });
    }
  };
  await Promise.all(Array.from({ length: askerCount }, ask));
  return asked;
}

/** What is wrong with them; nothing, for the product as it ships. */
async function findProblems(asked: readonly Asked[]): Promise<string[]> {
  const found = await notifications
    .find<Pick<NotificationDocument, '_id' | 'state' | 'isOpen'>>({}, { projection: { state: 1, isOpen: 1 } })
    .toArray();
  const stateOf = new Map(found.map(({ _id, state, isOpen }) => [_id, isOpen ? 'open' : state]));
  const reached = new Set(sandbox.messages.list().map(({ recipient }) => recipient));
  const problems = new Set<string>();
  for (const { to, recordId } of asked) {
    const state = stateOf.get(recordId);
    if (state === undefined) problems.add('a record is gone');
    else if (state === 'open')
      problems.add(`a message has not ended${added.has(recordId) ? ', though its job was taken' : ''}`);
    else if ((state === 'failed') === reached.has(to)) problems.add('a record does not tell what happened');
  }
  return [...problems];
}

t.test('workers die at random, and every message ends sent or visibly failed', { timeout: 600_000 }, async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  const workers: ServiceProcess[] = await Promise.all(Array.from({ length: workerCount }, () => startWorker()));
  // Some of the companies' answers are slow in coming or never come, so that workers die with calls under way.
  sandbox.faults.set({ provider: 'twilio-sms', mode: '500', probability: 0.2 });
  sandbox.faults.set({ provider: 'twilio-sms', mode: 'hang', probability: 0.02 });
  for (let number = 0; number < wrongNumbers; number += 1) {
    const recipient = `+91980${String(number).padStart(7, '0')}`;
    for (const provider of ['twilio-sms', 'msg91'] as const) {
      sandbox.faults.set({ provider, mode: 'invalid-recipient', recipient });
    }
  }
  let kills = 0;
  let isOver = false;
  const killing = (async () => {
    while (!isOver || kills < leastKills) {
      await pause(1_000 + random() * 2_000);
      const at = Math.floor(random() * workers.length);
      await workers[at]?.kill9();
      kills += 1;
      workers[at] = await startWorker();
    }
  })();

  const startedAtMs = performance.now();
  const asked = await askFor(notificationCount);
  isOver = true;
  await killing;
  await waitFor(
    async () => {
      await pause(500);
      return (await notifications.countDocuments({ isOpen: true })) === 0;
    },
    { withinMs: endWithinMs, what: 'the end of all of them' },
  );
  const tookMs = performance.now() - startedAtMs;

  t.same(await findProblems(asked), []);
  const failed = await notifications.find({ state: 'failed' }).toArray();
  t.equal(failed.length, wrongNumbers, 'nobody else was given up');
  t.ok(failed.every(({ reason, attempts }) => reason === 'give-up' && attempts.length > 0));
  const jobs = await Promise.all(notificationLanes.map((lane) => queues.count(lane)));
  t.ok(
    jobs.every(({ waiting }) => waiting === 0),
    'no job is left behind',
  );
  t.comment(
    `${added.size} jobs taken, ${sandbox.messages.list().length} messages for ${asked.length} people, ${kills} workers killed, ${Math.round(tookMs / 1_000)} s`,
  );
  await Promise.all(workers.map((worker) => worker.kill9()));
});

t.test('negative control: whoever ends jobs without doing them is found out', async (t) => {
  const forgetful = notificationLanes.map((name) =>
    openWorker({ connections, keys, name, concurrency: 8, process: async () => undefined, log }),
  );
  t.teardown(() => Promise.all(forgetful.map((worker) => worker.close())));

  const asked = await askFor(20);
  await waitFor(
    async () => {
      const counts = await Promise.all(notificationLanes.map((lane) => queues.count(lane)));
      const isEmpty = counts.every(({ waiting, active }) => waiting + active === 0);
      return isEmpty && asked.every(({ recordId }) => added.has(recordId));
    },
    { withinMs: 20_000, what: 'queues that are empty again' },
  );

  t.same(await findProblems(asked), ['a message has not ended, though its job was taken']);
});
