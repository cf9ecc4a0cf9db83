import { randomInt } from 'node:crypto';
import { type NotificationDocument, notificationLanes } from '@hushryd/outreach/notifications/notification-document';
import { createRandom } from '@hushryd/platform/testing/random';
import type { ServiceProcess } from '@hushryd/platform/testing/service-process';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { openNotificationWorkers } from './notification-workers.ts';

const isFull = process.env.HUSHRYD_FULL === '1';
const workerCount = isFull ? 8 : 2;
const notificationCount = isFull ? 400 : 120;
const kills = isFull ? 12 : 3;

const { sandbox, queues, store, notifyAt, startWorker } = await openNotificationWorkers(t);
const notify = notifyAt(Date.now);

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

t.test('workers die at random, and every message ends sent or visibly failed', async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  const workers: ServiceProcess[] = await Promise.all(Array.from({ length: workerCount }, () => startWorker()));
  const phones = Array.from({ length: notificationCount }, () => `+9198${randomInt(10_000_000, 99_999_999)}`);
  // Some of the companies' answers are slow in coming or never come, so that workers die with calls under way.
  sandbox.faults.set({ provider: 'twilio-sms', mode: '500', probability: 0.2 });
  sandbox.faults.set({ provider: 'twilio-sms', mode: 'hang', probability: 0.05 });
  sandbox.faults.set({ provider: 'msg91', mode: 'invalid-recipient', recipient: phones[0] ?? '' });
  sandbox.faults.set({ provider: 'twilio-sms', mode: 'invalid-recipient', recipient: phones[0] ?? '' });

  const recorded = await Promise.all(
    phones
      .map(async (to, index) => {
        await pause(index * (isFull ? 150 : 60));
        const request = {
          recipient: { addresses: { sms: to } },
          template: 'ride_ended',
          class: index % 3 === 0 ? 'high' : 'normal',
          channels: ['sms'],
          idempotencyKey: `of-${to}`,
          variables: { person: 'Asha' },
        } as const;
        // Who hears nothing asks again; the key makes it the same.
        const [notified] = await waitFor(() => notify(request), { withinMs: 60_000, what: 'a recorded notification' });
        return notified?.recordId ?? '';
      })
      .concat(killSome().then(() => '')),
  );
  const recordIds = recorded.filter((recordId) => recordId !== '');

  async function killSome(): Promise<void> {
    for (let kill = 1; kill <= kills; kill += 1) {
      await pause((isFull ? 1_000 : 500) + random() * (isFull ? 2_000 : 1_000));
      const at = Math.floor(random() * workers.length);
      await workers[at]?.kill9();
      workers[at] = await startWorker();
    }
  }

  const records = await waitFor(
    async () => {
      const found = await store.find({}, { limit: notificationCount + 1 });
      return found.every(({ nextAt }) => nextAt === undefined) ? found : undefined;
    },
    { withinMs: 120_000, what: 'the end of all of them' },
  );

  const byId = new Map(records.map((record): [string, NotificationDocument] => [record._id, record]));
  t.equal(records.length, notificationCount);
  const lost = recordIds.filter(
    (recordId) => !['accepted', 'delivered', 'failed'].includes(byId.get(recordId)?.state ?? ''),
  );
  t.strictSame(lost, []);
  const failed = records.filter(({ state }) => state === 'failed');
  t.match(failed, [{ reason: 'give-up' }], 'one has a wrong number');
  const unsent = phones.slice(1).filter((to) => sandbox.messages.list({ recipient: to }).length === 0);
  t.strictSame(unsent, [], 'all others have their message');
  t.comment(`${sandbox.messages.list().length} messages for ${notificationCount} people, ${kills} workers killed`);
  const jobs = await Promise.all(notificationLanes.map((lane) => queues.count(lane)));
  t.ok(
    jobs.every(({ waiting, failed: stuck }) => waiting + stuck === 0),
    'no job is left behind',
  );
});
