import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import type { AlertDocument } from '../src/alerts/alert-document.ts';
import { createAlertStore } from '../src/alerts/alert-store.ts';
import { cancelAlert } from '../src/alerts/cancel-alert.ts';
import { acknowledgeAlert, closeAlert } from '../src/alerts/handle-alert.ts';
import { planOutbox } from '../src/alerts/plan-outbox.ts';
import type { TriggerRecord } from '../src/alerts/trigger-record.ts';
import { uuidV7 } from '../src/drills/uuid-v7.ts';
import { openAlertRoom } from './open-alert-room.ts';

// An incident that somebody has acknowledged tells nobody of what comes to it later. Source: developer.pagerduty.com, "Send an Alert Event".

const room = await openAlertRoom(t, { redis: await testRedis(t), mongo: await testMongo(t) });
const store = createAlertStore({ db: room.db });
const order = (alertId: string) => ({ alertId, by: 'olga', authorise: () => undefined });
const sealer = { seal: (text: string) => text };

/** Sends all that is due, and shows what the incident system has heard of the alert. */
async function heard(alertId: string): Promise<string[]> {
  await room.dispatch.dispatch(alertId);
  await room.becomesQuiet(alertId);
  return room.sandbox.messages.list({ channel: 'incident' }).flatMap(({ content: { data } }) => {
    const { action, dedupKey } = data as { action: string; dedupKey: string };
    return dedupKey.startsWith(alertId) ? [`${action} ${dedupKey.slice(alertId.length)}`] : [];
  });
}

async function pressAgain({ _id, person }: AlertDocument, laterByMs: number): Promise<AlertDocument> {
  const lastPressedAt = new Date(Date.now() - laterByMs);
  await room.db.collection<AlertDocument>('alerts').updateOne({ _id }, { $set: { lastPressedAt } });
  const triggerId = uuidV7();
  const time = new Date().toISOString();
  const record: TriggerRecord = {
    ...{ triggerId, userId: person.userId, role: person.role, region: 'test', acceptedAt: time, via: 'https' },
    ...{ isTokenExpired: false, trigger: { alertId: triggerId, triggeredAt: time } },
    ...{ outbox: planOutbox({ contacts: [] }), contacts: [], contactsVersion: 1 },
  };
  return (await store.accept(record)).alert;
}

t.test(
  'pressed again after an acknowledgement it is an incident anew; at the end all of them are resolved',
  async (t) => {
    const alert = await room.raise([]);
    const { _id: alertId } = alert;
    t.same(await heard(alertId), ['trigger ']);
    await acknowledgeAlert(room.work, order(alertId));
    t.same(await heard(alertId), ['trigger ', 'acknowledge ']);

    await pressAgain(alert, 10_000);
    t.equal((await heard(alertId)).length, 2, 'within a minute it is the same press');
    const { triggerIds } = await pressAgain(alert, 61_000);
    const round = `.${triggerIds.at(-1)}`;
    t.same((await heard(alertId)).slice(2), [`trigger ${round}`]);
    await pressAgain(alert, 61_000);
    t.equal((await heard(alertId)).length, 3, 'nobody has acknowledged the second one yet');

    await acknowledgeAlert(room.work, order(alertId));
    t.same((await heard(alertId)).slice(3), [`acknowledge ${round}`]);
    await closeAlert({ ...room.work, sealer }, { ...order(alertId), state: 'resolved', reason: 'helped' });
    t.same((await heard(alertId)).slice(4).toSorted(), ['resolve ', `resolve ${round}`]);
  },
);

t.test('a cancel under duress takes the acknowledgement back, and is an incident anew', async (t) => {
  const { _id: alertId, person } = await room.raise([]);
  const duress = () =>
    cancelAlert(
      { ...room.work, verifyPin: async () => 'duress' },
      { ...order(alertId), by: person.userId, pin: '8520' },
    );
  await acknowledgeAlert(room.work, order(alertId));
  await heard(alertId);

  const alert = await duress();

  t.match(alert, { state: 'open', acknowledgedBy: undefined, acknowledgedAt: undefined });
  t.ok(alert.escalation.nextAt !== null, 'the escalation has begun anew');
  t.match(
    (await heard(alertId)).filter((one) => one.startsWith('trigger')),
    ['trigger ', /^trigger \.duress-/],
  );
  const message = room.sandbox.messages.list({ channel: 'incident' }).at(-1);
  t.match(message?.content.data, { action: 'trigger', details: { is_duress: true } });
  const { length } = await heard(alertId);
  await duress();
  t.equal((await heard(alertId)).length, length, 'the same again changes nothing');
});

t.test('under duress before anybody has acknowledged it stays one incident', async (t) => {
  const { _id: alertId, person } = await room.raise([]);
  await cancelAlert(
    { ...room.work, verifyPin: async () => 'duress' },
    { ...order(alertId), by: person.userId, pin: '8520' },
  );
  t.same(await heard(alertId), ['trigger ']);
});
