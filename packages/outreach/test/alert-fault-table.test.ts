import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import type { ProviderName } from '@hushryd/providers/provider';
import type { FaultMode } from '@hushryd/providers/sandbox/fault-plan';
import t from 'tap';
import { entryOf, openAlertRoom } from './open-alert-room.ts';
import { newKey, phone } from './open-hub.ts';

/**
 * Every channel × everything that a company can do wrong to an alert: who was asked, in which order (A the first company of the channel, B
 * the second), and what is recorded, as patterns. Providers in turn, one attempt each; the other table is that of notifications.
 */
const channels = ['sms', 'whatsapp', 'email', 'push', 'voice', 'incident'] as const;
type Channel = (typeof channels)[number];
type Row = Record<Channel, string>;

const another: Row = {
  sms: 'AB DELIVERED',
  whatsapp: 'AAA FAILED exhausted',
  email: 'AB DELIVERED',
  push: 'AAA FAILED exhausted',
  voice: 'AB DELIVERED',
  // A minute later all of it begins anew.
  incident: 'AAA PENDING',
};
const overtaken: Row = {
  ...another,
  sms: 'AB? DELIVERED',
  whatsapp: 'A{1,3} DELIVERED',
  email: 'AB? DELIVERED',
  voice: 'AB? DELIVERED',
};
const refused: Row = {
  ...another,
  whatsapp: 'A FAILED exhausted',
  push: 'A FAILED exhausted',
  incident: 'A PENDING',
};
const well: Row = {
  sms: 'A DELIVERED',
  whatsapp: 'A DELIVERED',
  email: 'A DELIVERED',
  push: 'A ACCEPTED',
  voice: 'A DELIVERED',
  incident: 'A ACCEPTED',
};
const table: Record<FaultMode, Row> = {
  '500': another,
  hang: another,
  reset: another,
  'error-in-200': another,
  // To an alert a pause is somebody else's chance, and with nobody else it is not waited for.
  '429': another,
  'answer-lost': overtaken,
  'slow-drip': overtaken,
  auth: refused,
  // No single company is believed that a person cannot be reached.
  'invalid-recipient': refused,
  'accepted-then-silent': {
    sms: 'AB DELIVERED',
    whatsapp: 'A ACCEPTED',
    email: 'A ACCEPTED',
    push: 'A ACCEPTED',
    voice: 'A ACCEPTED',
    incident: 'A ACCEPTED',
  },
  lying: well,
  undelivered: {
    sms: 'AB DELIVERED',
    whatsapp: 'A FAILED exhausted',
    email: 'AB DELIVERED',
    push: 'A ACCEPTED',
    voice: 'AB DELIVERED',
    incident: 'A ACCEPTED',
  },
  duplicate: well,
  reordered: well,
};

const providersOf: Record<Channel, [ProviderName, ProviderName?]> = {
  sms: ['twilio-sms', 'msg91'],
  whatsapp: ['whatsapp-cloud'],
  email: ['sendgrid', 'mailgun'],
  push: ['fcm'],
  voice: ['twilio-voice', 'exotel'],
  incident: ['pagerduty'],
};
const withinMs = 20_000;

const room = await openAlertRoom(
  t,
  { redis: await testRedis(t), mongo: await testMongo(t) },
  // Well above what a busy machine takes for a call, and to bring a receipt.
  { PROVIDER_DEADLINE_MS: '2500', SOS_RECEIPT_WAIT_MS: '3000' },
);
room.dispatch.start();
// Somebody takes each call that rings.
t.teardown(
  room.sandbox.messages.watch((message) => {
    if (message?.call?.state === 'ringing') void room.sandbox.phones.answer(message.id).catch(() => undefined);
  }),
);

async function tell(alertId: string, channel: Channel) {
  const entry = entryOf(await room.read(alertId), channel);
  const attempts = (await room.attempts(alertId)).filter((attempt) => attempt.channel === channel);
  const asked = attempts.map(({ provider }) => (provider === providersOf[channel][0] ? 'A' : 'B')).join('');
  return { attempts, said: [asked, entry?.state, entry?.reason].filter(Boolean).join(' ') };
}

/** One alert whose contact has this channel alone, to whom this happens, until it has ended as expected or for as long as that could take. */
async function play(channel: Channel, mode: FaultMode) {
  const [provider] = providersOf[channel];
  const userId = `user-${newKey()}`;
  const contact = { contactId: `c-${newKey()}`, name: 'Asha', phone: phone(), email: `${userId}@example.test`, userId };
  const token = `token-${userId}`;
  if (channel === 'push') await room.putDevice(userId, token);
  const addresses: Record<Channel, string> = {
    sms: contact.phone,
    whatsapp: contact.phone,
    voice: contact.phone,
    email: contact.email,
    push: token,
    incident: 'on-duty',
  };
  // All incidents have one recipient: they are played one after the other.
  if (channel === 'incident') room.sandbox.faults.clear(provider);
  room.sandbox.faults.set({ provider, mode, recipient: addresses[channel], retryAfterSeconds: 60, dripEveryMs: 400 });
  const { _id: alertId } = await room.raise(
    channel === 'incident'
      ? []
      : [{ ...contact, locale: 'en', channels: [channel], isPhoneVerified: true, isEmailVerified: true }],
  );
  const expected = new RegExp(`^${table[mode][channel]}$`);
  await waitFor(async () => expected.test((await tell(alertId, channel)).said), {
    withinMs,
    what: `the end of ${channel} with ${mode}`,
  }).catch(() => undefined);
  return { channel, mode, alertId, said: (await tell(alertId, channel)).said };
}

t.test('whoever was to be asked was asked, in order, and it ended as it had to', async (t) => {
  const startedAtMs = performance.now();
  // A process's first calls take longer than those after them, and would look like faults.
  for (const channel of channels) await play(channel, 'duplicate');
  const modes = Object.keys(table) as FaultMode[];
  // What only waits goes at once; of the rest two a channel, or a slow machine would run into deadlines that nobody set.
  const waiting: readonly FaultMode[] = ['hang', 'slow-drip'];
  const playInTurn = async (channel: Channel, some: readonly FaultMode[]) => {
    const ofChannel: Awaited<ReturnType<typeof play>>[] = [];
    for (const mode of some) ofChannel.push(await play(channel, mode));
    return ofChannel;
  };
  const played = await Promise.all(
    channels.flatMap((channel) => {
      const quick = modes.filter((mode) => !waiting.includes(mode));
      if (channel === 'incident') return [playInTurn(channel, modes)];
      const halves = [0, 1].map((half) =>
        playInTurn(
          channel,
          quick.filter((_, index) => index % 2 === half),
        ),
      );
      return [...halves, ...waiting.map((mode) => playInTurn(channel, [mode]))];
    }),
  ).then((all) => all.flat());

  t.comment(`${played.length} cases in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
  for (const { channel, mode, alertId, said } of played) {
    const { attempts } = await tell(alertId, channel);
    t.match(said, new RegExp(`^${table[mode][channel]}$`), `${channel}, ${mode}`);
    const [first, second] = attempts;
    // The other company is asked at once, by whoever has the entry: nobody waits for a sweep or for a lease to end.
    if (first?.outcome === 'failed' && second?.number !== undefined) {
      t.equal(second.number, first.number.replace('-1', '-2'), `${channel}, ${mode}: at once`);
    }
    for (const attempt of attempts) {
      t.ok(attempt.outcome === 'accepted' ? attempt.providerMessageId : attempt.errorClass && attempt.reason);
    }
  }
});
