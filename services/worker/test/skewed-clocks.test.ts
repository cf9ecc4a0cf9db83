import { randomInt } from 'node:crypto';
import { clockOff } from '@hushryd/platform/testing/skewed-clock';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { openNotificationWorkers } from './notification-workers.ts';

const { sandbox, store, notifyAt, startWorker } = await openNotificationWorkers(t);
const fiveMinutesMs = 300_000;

const newPhone = () => `+9198${randomInt(10_000_000, 99_999_999)}`;

async function send(to: string, now: () => number): Promise<string> {
  const [notified] = await notifyAt(now)({
    recipient: { addresses: { sms: to } },
    template: 'ride_ended',
    class: 'high',
    channels: ['sms'],
    idempotencyKey: `of-${to}`,
    variables: { person: 'Asha' },
  });
  return notified?.recordId ?? '';
}

const ended = (recordId: string) =>
  waitFor(
    async () => {
      const record = await store.findById(recordId);
      return record?.nextAt === undefined ? record : undefined;
    },
    { withinMs: 30_000, what: 'the end of a notification' },
  );

t.test('a worker whose clock is five minutes slow sends at once; a fast one takes nothing that it has', async (t) => {
  await startWorker(clockOff(-fiveMinutesMs));
  const alone = await ended(await send(newPhone(), Date.now));
  t.equal(alone?.state, 'accepted', 'what is due by the database is due');

  await startWorker(clockOff(fiveMinutesMs));
  const phones = Array.from({ length: 10 }, newPhone);
  // No answer for as long as a call may take: meanwhile the other worker looks several times.
  for (const recipient of phones) sandbox.faults.set({ provider: 'twilio-sms', mode: 'hang', recipient, count: 1 });
  const tenMinutesAgo = () => Date.now() - 2 * fiveMinutesMs;
  const records = await Promise.all(phones.map(async (to) => ended(await send(to, tenMinutesAgo))));

  t.same(
    records.map((record) => record?.fence),
    phones.map(() => 1),
    'each was taken up once',
  );
  t.same(
    phones.map((recipient) => sandbox.messages.list({ recipient }).length),
    phones.map(() => 1),
  );
});
