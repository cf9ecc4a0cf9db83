import type { Contact } from '@hushryd/contracts/http/contacts';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { acknowledgeAlert } from '../src/alerts/handle-alert.ts';
import type { OnCallPerson } from '../src/people/on-call/on-call-document.ts';
import { entryOf, openAlertRoom } from './open-alert-room.ts';
import { newKey, phone } from './open-hub.ts';

// What people do with calls and pushes about an alert, and what they hear.

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

t.test('a push has arrived when the app of whoever it went to says so, and nobody else', async (t) => {
  const app = `user-${newKey()}`;
  await room.putDevice(app, `token-${app}`);
  const contact: Contact = {
    ...{ contactId: 'asha', name: 'Asha', phone: phone(), locale: 'en', channels: ['sms', 'push'], userId: app },
    ...{ isPhoneVerified: true, isEmailVerified: true },
  };
  const { _id: alertId } = await room.raise([contact]);
  await room.dispatch.dispatch(alertId);
  const push = await messageTo(`token-${app}`, 'push');
  const { attempt_id: attemptId = '', alertId: shown } = (push.content.data?.data ?? {}) as Record<string, string>;
  t.equal(shown, alertId);
  await room.becomesQuiet(alertId);
  t.match(entryOf(await room.read(alertId), 'push'), { state: 'ACCEPTED' });

  const { markSeen } = room.dispatch;
  const sms = (await room.attempts(alertId)).find(({ channel }) => channel === 'sms');
  t.equal(await markSeen({ alertId, attemptId, personId: 'somebody-else' }), false);
  t.equal(await markSeen({ alertId: 'another', attemptId, personId: app }), false);
  t.equal(await markSeen({ alertId, attemptId: sms?._id ?? '', personId: app }), false, 'a text is no push');
  t.equal(await markSeen({ alertId, attemptId: `sos.${alertId}.0123456789ab.1-1`, personId: app }), false);
  t.match(entryOf(await room.read(alertId), 'push'), { state: 'ACCEPTED' });

  t.equal(await markSeen({ alertId, attemptId, personId: app }), true);
  const seen = await room.becomes(alertId, (alert) => entryOf(alert, 'push')?.state === 'DELIVERED', 'the delivery');
  t.match(seen.facts.at(-1), { kind: 'receipt', data: { channel: 'push', provider: 'fcm', status: 'read' } });
  t.equal(await markSeen({ alertId, attemptId, personId: app }), true, 'again');
  t.equal((await room.read(alertId)).facts.length, seen.facts.length);
});
