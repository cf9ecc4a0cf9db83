import type { Contact } from '@hushryd/contracts/http/contacts';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { entryOf, openAlertRoom } from './open-alert-room.ts';
import { newKey, phone } from './open-hub.ts';

// Attempts are told by the database's clock. A process whose own is minutes off pauses between two of them as any other does.

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
