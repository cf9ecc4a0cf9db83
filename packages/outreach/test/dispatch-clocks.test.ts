import type { Contact } from '@hushryd/contracts/http/contacts';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import type { OnCallPerson } from '../src/people/on-call/on-call-document.ts';
import { entryOf, openAlertRoom } from './open-alert-room.ts';
import { newKey, phone } from './open-hub.ts';

// Attempts are told by the database's clock, and so is who is on call. A process whose own is minutes off pauses between two attempts as any
// other does, and calls the same person.

const fiveMinutesMs = 300_000;
const onWhatsapp = (): Contact => ({
  contactId: `c-${newKey()}`,
  name: 'Asha',
  phone: phone(),
  locale: 'en',
  channels: ['whatsapp'],
  isPhoneVerified: true,
  isEmailVerified: true,
});
const onCall = (): OnCallPerson => ({
  personId: `p-${newKey()}`,
  name: 'Dana',
  phone: phone(),
  locale: 'en',
  channels: ['voice'],
});

t.test('five minutes behind: the only company of a channel is asked again after its pause', async (t) => {
  const stores = { redis: await testRedis(t), mongo: await testMongo(t) };
  const room = await openAlertRoom(t, stores, {}, { now: () => Date.now() + fiveMinutesMs });
  const contact = onWhatsapp();
  room.sandbox.faults.set({ provider: 'whatsapp-cloud', mode: '500', recipient: contact.phone, count: 1 });
  const { _id: alertId } = await room.raise([contact]);

  await room.dispatch.dispatch(alertId);

  await waitFor(() => room.sandbox.messages.list({ recipient: contact.phone })[0], {
    withinMs: 20_000,
    what: 'the second attempt',
  });
});

t.test('five minutes ahead: the tries of a company do not follow on one another', async (t) => {
  const stores = { redis: await testRedis(t), mongo: await testMongo(t) };
  const variables = { PROVIDER_BACKOFF_MS: '60000' };
  const room = await openAlertRoom(t, stores, variables, { now: () => Date.now() - fiveMinutesMs });
  const contact = onWhatsapp();
  room.sandbox.faults.set({ provider: 'whatsapp-cloud', mode: '500', recipient: contact.phone });
  const { _id: alertId } = await room.raise([contact]);

  await room.dispatch.dispatch(alertId);

  const entry = entryOf(await room.read(alertId), 'whatsapp');
  t.equal(entry?.state, 'PENDING');
  t.ok((entry?.dueAt?.getTime() ?? 0) > Date.now(), 'somebody tries again later');
});

t.test('five minutes behind: whoever is on call by now is called', async (t) => {
  const stores = { redis: await testRedis(t), mongo: await testMongo(t) };
  const room = await openAlertRoom(t, stores, {}, { now: () => Date.now() + fiveMinutesMs });
  const [off, on] = [onCall(), onCall()];
  const from = new Date(Date.now() + fiveMinutesMs / 2);
  await room.putRota([[off]], [{ person: on, from, until: new Date(Date.now() + 10 * fiveMinutesMs) }]);
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);

  await room.dispatch.dispatch(alertId);

  await waitFor(() => room.sandbox.messages.list({ recipient: on.phone })[0], { withinMs: 20_000, what: 'the call' });
  t.equal(room.sandbox.messages.list({ recipient: off.phone }).length, 0);
});
