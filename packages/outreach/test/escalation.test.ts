import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { BSON } from 'mongodb';
import t from 'tap';
import { maxWaitingFacts } from '../src/alerts/append-facts.ts';
import { openAlertRoom } from './open-alert-room.ts';
import { newKey, phone } from './open-hub.ts';

// An alert that nobody acknowledges escalates for ever, and stays small. HUSHRYD_FULL=1: for 24 hours instead of a quarter of one.

const minutes = process.env.HUSHRYD_FULL === '1' ? 24 * 60 : 15;
const maxBytes = 256 * 1024;

const room = await openAlertRoom(t, { redis: await testRedis(t), mongo: await testMongo(t) });

t.test('the escalation goes on for ever, and the document stays small', async (t) => {
  const people = [1, 2].map(() => ({
    personId: `p-${newKey()}`,
    name: 'Dana',
    phone: phone(),
    locale: 'en',
    channels: ['voice' as const, 'sms' as const],
  }));
  await room.putRota(people.map((person) => [person]));
  const contacts = Array.from({ length: 8 }, (_, index) => ({
    contactId: `c-${index}`,
    name: 'Asha',
    phone: phone(),
    email: `asha-${index}@example.test`,
    locale: 'en',
    channels: ['sms' as const, 'whatsapp' as const, 'email' as const, 'voice' as const],
    isPhoneVerified: true,
    isEmailVerified: true,
  }));
  const { _id: alertId } = await room.raise(contacts);
  await room.dispatch.dispatch(alertId);
  await room.passTime(alertId, 31_000);

  const sizes: number[] = [];
  for (let minute = 1; minute <= minutes; minute += 1) {
    await room.dispatch.dispatch(alertId);
    const alert = await room.read(alertId);
    t.equal(alert.escalation.level, minute);
    sizes.push(BSON.calculateObjectSize(alert));
    await room.passTime(alertId, 60_000);
  }

  t.comment(`${minutes} minutes: ${sizes[0]} bytes after the first, ${sizes.at(-1)} after the last`);
  t.ok(Math.max(...sizes) < maxBytes);
  const alert = await room.read(alertId);
  t.ok(alert.facts.length <= maxWaitingFacts + 16);
  // Calls that rang a minute ago and of which nothing was heard are no longer waited for.
  t.ok(alert.outbox.filter(({ recipient }) => recipient.kind === 'on_call').length <= 6);
  for (const person of people) {
    const calls = room.sandbox.messages.list({ recipient: person.phone, channel: 'voice' });
    t.ok(calls.length > 0, 'everybody on the rota was called');
  }
});

t.test('the step comes when its time has come, not before, and late ones are not made up for', async (t) => {
  const { _id: alertId } = await room.raise([]);
  await room.dispatch.dispatch(alertId);
  await room.passTime(alertId, 25_000);
  await room.dispatch.dispatch(alertId);
  t.equal((await room.read(alertId)).escalation.level, 0, 'after 25 s');

  await room.passTime(alertId, 3_600_000);
  await Promise.all(Array.from({ length: 4 }, () => room.dispatch.dispatch(alertId)));
  await room.dispatch.dispatch(alertId);
  const { escalation } = await room.read(alertId);
  t.equal(escalation.level, 1, 'one step, after an hour in which nobody could make any');
  t.ok((escalation.nextAt?.getTime() ?? 0) > Date.now());
});

t.test('with the sweeper alone somebody is called', async (t) => {
  const person = {
    personId: `p-${newKey()}`,
    name: 'Dana',
    phone: phone(),
    locale: 'en',
    channels: ['voice' as const],
  };
  await room.putRota([[person]]);
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);

  room.dispatch.start();

  await waitFor(() => room.sandbox.messages.list({ recipient: person.phone })[0], {
    withinMs: 20_000,
    what: 'the call',
  });
  t.match(await room.read(alertId), { state: 'open' });
});
