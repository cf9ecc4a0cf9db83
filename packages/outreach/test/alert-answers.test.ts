import type { Contact } from '@hushryd/contracts/http/contacts';
import { neverCrash } from '@hushryd/platform/lifecycle/crash-points';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import type { Receipt } from '@hushryd/providers/receipts/receipt';
import t from 'tap';
import { acknowledgeAlert } from '../src/alerts/handle-alert.ts';
import { alertAttemptId } from '../src/dispatch/attempt-id.ts';
import type { DispatchStore } from '../src/dispatch/dispatch-store.ts';
import type { Outcome } from '../src/dispatch/entry-change.ts';
import { createGatherOutcomes } from '../src/dispatch/gather-outcomes.ts';
import { createTakeAlertReceipt } from '../src/dispatch/take-alert-receipt.ts';
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

/** A mail that somebody has taken up and handed to a company: the attempt is stored, what the entry has come to is not. */
async function sendHalfway() {
  const contact: Contact = {
    ...{
      contactId: 'asha',
      name: 'Asha',
      phone: phone(),
      email: 'asha@example.test',
      locale: 'en',
      channels: ['email'],
    },
    ...{ isPhoneVerified: true, isEmailVerified: true },
  };
  const { _id: alertId } = await room.raise([contact]);
  const { store, metrics } = room.dispatch.sending;
  const mail = (await store.claim(alertId))?.entries.find(({ channel }) => channel === 'email');
  if (mail === undefined) throw new Error('there is no mail');
  const { entryId, recipient, channel, fence } = mail;
  const number = `${fence}-1`;
  const made = { provider: 'sendgrid', providerMessageId: newKey(), outcome: 'accepted' } as const;
  const attempt = {
    ...{ _id: alertAttemptId({ alertId, entryId, number }), alertId, entryId, number, recipient, channel },
    ...{ ...made, startedAtMs: Date.now(), latencyMs: 10 },
  };
  await store.keep(alertId, [], [attempt]);
  let looks = 0;
  const looking: DispatchStore = {
    ...store,
    find(id) {
      looks += 1;
      return store.find(id);
    },
  };
  const gather = createGatherOutcomes({ store, crashAt: neverCrash });
  const takeReceipt = createTakeAlertReceipt({ store: looking, gather, acknowledge: async () => false, metrics });
  const told = { provider: 'sendgrid', providerMessageId: made.providerMessageId, attemptId: attempt._id } as const;
  const tell = (word: Pick<Receipt, 'status' | 'errorClass'>) =>
    takeReceipt({ ...told, ...word, eventId: newKey(), atMs: Date.now() });
  return {
    alertId,
    bounce: () => tell({ status: 'failed', errorClass: 'next' }),
    arrive: () => tell({ status: 'delivered' }),
    hasLooked: () => waitFor(() => looks > 0, { withinMs: 20_000, what: 'a look at the alert' }),
    keepOutcome: (outcome: Pick<Outcome, 'state' | 'reason'>) =>
      store.keep(
        alertId,
        [
          {
            ...{ kind: 'outcome', entryId, fence, dueInMs: null, attempts: 1, ...outcome },
            addTries: [{ number, provider: 'sendgrid', result: 'accepted', endedAtMs: Date.now() }],
          },
        ],
        [],
      ),
  };
}

t.test('a mail that bounces before its sender has stored what came of it goes to the next company', async (t) => {
  const { alertId, bounce, hasLooked, keepOutcome } = await sendHalfway();
  const taking = bounce();
  await hasLooked();
  await keepOutcome({ state: 'ACCEPTED' });

  t.equal(await taking, true);
  t.match(entryOf(await room.read(alertId), 'email'), { state: 'PENDING', tries: [{ result: 'next' }] });
});

t.test('what arrived while a bounce was waiting has arrived', async (t) => {
  const { alertId, bounce, arrive, hasLooked, keepOutcome } = await sendHalfway();
  const taking = bounce();
  await hasLooked();
  await arrive();
  await keepOutcome({ state: 'ACCEPTED' });

  t.equal(await taking, true);
  t.match(entryOf(await room.read(alertId), 'email'), { state: 'DELIVERED' });
  t.match(await room.attempts(alertId), [{ status: 'delivered' }]);
});

t.test('where the sender has died a bounce is kept for later, and is no news when somebody else sends', async (t) => {
  const { alertId, bounce } = await sendHalfway();
  await t.rejects(bounce(), { code: 'database_unavailable' });

  await room.passTime(alertId, 60_000);
  await room.dispatch.sending.store.claim(alertId);

  t.equal(await bounce(), true);
  t.match(entryOf(await room.read(alertId), 'email'), { state: 'SENDING', fence: 2 });
});

t.test('what had ended as lost and has arrived after all says nothing of a loss', async (t) => {
  const { alertId, arrive, keepOutcome } = await sendHalfway();
  await keepOutcome({ state: 'FAILED', reason: 'exhausted' });
  t.match(entryOf(await room.read(alertId), 'email'), { state: 'FAILED', reason: 'exhausted' });

  t.equal(await arrive(), true);

  const { state, reason, recipient } = entryOf(await room.read(alertId), 'email') ?? {};
  t.match({ state, reason, recipient }, { state: 'DELIVERED', reason: undefined, recipient: { kind: 'contact' } });
});
