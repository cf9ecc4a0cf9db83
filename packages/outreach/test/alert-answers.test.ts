import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { acknowledgeAlert } from '../src/alerts/handle-alert.ts';
import type { OnCallPerson } from '../src/people/on-call/on-call-document.ts';
import { openAlertRoom } from './open-alert-room.ts';
import { newKey, phone } from './open-hub.ts';

// What people do with calls about an alert, and what they hear.

const room = await openAlertRoom(t, { redis: await testRedis(t), mongo: await testMongo(t) });

const messageTo = (recipient: string, channel: string) =>
  waitFor(() => room.sandbox.messages.list({ recipient, channel })[0], {
    withinMs: 20_000,
    what: `a message to ${recipient}`,
  });

/** Somebody on call whose phone rings for a new alert. */
async function callOnCall(changes: Partial<OnCallPerson> = {}) {
  const person: OnCallPerson = {
    ...{ personId: `p-${newKey()}`, name: 'Dana', phone: phone(), locale: 'en', channels: ['voice'] },
    ...changes,
  };
  await room.putRota([[person]]);
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);
  await room.dispatch.dispatch(alertId);
  return { alertId, message: await messageTo(person.phone, 'voice') };
}

t.test('who presses another key hears that it is not acknowledged, and may press again', async (t) => {
  const { alertId, message } = await callOnCall();

  await room.sandbox.phones.answer(message.id, '9');
  t.match(message.call, { state: 'answered', canPress: true, said: [/Press 1/, /not acknowledged\. Press 1/] });
  t.match(await room.read(alertId), { state: 'open' });
  await room.sandbox.phones.press(message.id, '1');

  t.match(message.call, { state: 'completed', said: [/./, /./, 'Thank you. The alert is acknowledged.'] });
  t.match(await room.read(alertId), { state: 'acknowledged', escalation: { nextAt: null } });
});

t.test('after three other keys the call ends, and it is the next person’s turn', async (t) => {
  const { alertId, message } = await callOnCall({ locale: 'hi' });

  await room.sandbox.phones.answer(message.id);
  for (const key of ['2', '2', '2']) await room.sandbox.phones.press(message.id, key);

  t.match(message.call, { state: 'completed', said: [/./, /1 दबाएँ/, /1 दबाएँ/, /नमस्ते/] }, 'in their own language');
  await room.becomes(alertId, ({ workAt }) => (workAt?.getTime() ?? 0) <= Date.now(), 'the next person’s turn');
  t.match(await room.read(alertId), { state: 'open' });
});

t.test('who presses a key of an alert that somebody else has taken meanwhile hears so', async (t) => {
  const called = await callOnCall();
  await acknowledgeAlert(room.work, { alertId: called.alertId, by: 'olga', authorise: () => undefined });
  await room.sandbox.phones.answer(called.message.id, '1');
  t.match(called.message.call, { state: 'completed', said: [/./, /Somebody takes care/] });

  const other = await callOnCall();
  await acknowledgeAlert(room.work, { alertId: other.alertId, by: 'olga', authorise: () => undefined });
  await room.sandbox.phones.answer(other.message.id, '9');
  t.match(other.message.call, { state: 'completed', said: [/./, /Somebody takes care/] });
});
