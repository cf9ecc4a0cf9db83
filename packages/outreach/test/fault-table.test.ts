import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import type { ProviderName } from '@hushryd/providers/provider';
import type { FaultMode } from '@hushryd/providers/sandbox/fault-plan';
import t from 'tap';
import type { NotificationChannel } from '../src/notifications/notification-document.ts';
import { hasEnded, newKey, openHub, phone } from './open-hub.ts';

/**
 * Every channel × everything that a company can do wrong: who was asked, in which order (A the first company of the channel, B the second),
 * and how it ended, as patterns. One-time codes, so that missing receipts count too; they have one round.
 */
type Row = Record<NotificationChannel, string>;

const retried: Row = {
  sms: 'AAAB delivered',
  whatsapp: 'AAA failed exhausted',
  email: 'AAAB delivered',
  push: 'AAA failed exhausted',
  voice: 'AAAB delivered',
};
const overtaken: Row = {
  sms: 'A{1,3}B? delivered',
  whatsapp: 'A{1,3} delivered',
  email: 'A{1,3}B? delivered',
  push: 'AAA failed exhausted',
  voice: 'A{1,3}B? delivered',
};
const wellDelivered: Row = {
  sms: 'A delivered',
  whatsapp: 'A delivered',
  email: 'A delivered',
  // FCM tells nothing; the app would.
  push: 'A accepted',
  voice: 'A delivered',
};
const table: Record<FaultMode, Row> = {
  '500': retried,
  hang: retried,
  reset: retried,
  // Taken all the same: a second copy is better than silence, until a receipt says that there was none.
  'answer-lost': overtaken,
  'slow-drip': overtaken,
  'error-in-200': retried,
  // A pause that is longer than a call may take is somebody else's chance.
  '429': { ...retried, sms: 'AB delivered', email: 'AB delivered', voice: 'AB delivered' },
  auth: {
    sms: 'AB delivered',
    whatsapp: 'A failed exhausted',
    email: 'AB delivered',
    push: 'A failed exhausted',
    voice: 'AB delivered',
  },
  'invalid-recipient': {
    sms: 'A failed give-up',
    whatsapp: 'A failed give-up',
    email: 'A failed give-up',
    push: 'A failed give-up',
    voice: 'A failed give-up',
  },
  'accepted-then-silent': {
    sms: 'AB delivered',
    whatsapp: 'A accepted',
    // Mail may take its time: another one would be a second mail.
    email: 'A accepted',
    push: 'A accepted',
    voice: 'A accepted',
  },
  // What a company says is all that can be known of it; alerts go over several channels for that.
  lying: wellDelivered,
  undelivered: {
    sms: 'AB delivered',
    whatsapp: 'A failed give-up',
    email: 'A failed give-up',
    push: 'A accepted',
    voice: 'AB delivered',
  },
  duplicate: wellDelivered,
  reordered: wellDelivered,
};

const providersOf: Record<NotificationChannel, [ProviderName, ProviderName?]> = {
  sms: ['twilio-sms', 'msg91'],
  whatsapp: ['whatsapp-cloud'],
  email: ['sendgrid', 'mailgun'],
  push: ['fcm'],
  voice: ['twilio-voice', 'exotel'],
};
const channels = Object.keys(providersOf) as NotificationChannel[];
const isFull = process.env.HUSHRYD_FULL === '1';
/** A busy machine needs most of it; every wait ends by an event. */
const withinMs = 20_000;

const hub = await openHub(
  t,
  { redis: await testRedis(t), mongo: await testMongo(t) },
  {
    PROVIDER_DEADLINE_MS: '2500',
    // Rows go side by side, and are nobody's breaker.
    PROVIDER_BREAKER_FAILURES: '1000',
    NOTIFICATION_PROCESSORS: '16',
  },
);
hub.start();
answerCalls();

/** Somebody takes each call that rings. */
function answerCalls(): void {
  const stop = hub.sandbox.messages.watch((message) => {
    if (message?.call?.state === 'ringing') void hub.sandbox.phones.answer(message.id).catch(() => undefined);
  });
  t.teardown(stop);
}

function newAddress(channel: NotificationChannel): string {
  if (channel === 'email') return `person-${newKey()}@example.test`;
  return channel === 'push' ? `token-${newKey()}` : phone();
}

/** What became of a record, in the words of the table. */
async function tell(recordId: string, channel: NotificationChannel) {
  const record = await hub.read(recordId);
  const [first] = providersOf[channel];
  const asked = record.attempts.map(({ provider }) => (provider === first ? 'A' : 'B')).join('');
  return { record, said: [asked, record.state, record.reason].filter(Boolean).join(' ') };
}

/** Sends one code to a new person, to whom this happens, and waits until it has ended as expected, or for as long as that could take. */
async function play(channel: NotificationChannel, mode: FaultMode, faulty: readonly ProviderName[], expected: string) {
  const to = newAddress(channel);
  // With nobody else to turn to, a pause is waited for.
  const retryAfterSeconds = providersOf[channel].length > 1 ? 60 : 1;
  for (const provider of faulty) {
    hub.sandbox.faults.set({ provider, mode, recipient: to, retryAfterSeconds, dripEveryMs: 400 });
  }
  const [notified] = await hub.notify({
    recipient: { addresses: channel === 'push' ? { push: [to] } : { [channel]: to } },
    template: 'otp',
    class: 'high',
    channels: [channel],
    idempotencyKey: newKey(),
    variables: { code: '482913', minutes: '10' },
  });
  const recordId = notified?.recordId ?? '';
  const hasCome = async () => {
    const { record, said } = await tell(recordId, channel);
    return hasEnded(record) && new RegExp(`^${expected}$`).test(said);
  };
  await waitFor(hasCome, { withinMs, what: `the end of ${channel} with ${mode}` }).catch(() => undefined);
  return recordId;
}

t.test('whoever was to be asked was asked, in order, and it ended as it had to', async (t) => {
  const startedAtMs = performance.now();
  const waiting: readonly FaultMode[] = ['hang', 'slow-drip'];
  const playOne = async (channel: NotificationChannel, mode: FaultMode) => ({
    mode,
    channel,
    expected: table[mode][channel],
    recordId: await play(channel, mode, [providersOf[channel][0]], table[mode][channel]),
  });
  // What only waits goes at once; of the rest one a channel, or a slow machine would run into deadlines that nobody set.
  const played = await Promise.all([
    ...channels.flatMap((channel) => waiting.map((mode) => playOne(channel, mode))),
    ...channels.map(async (channel) => {
      const ofChannel = [];
      for (const mode of Object.keys(table) as FaultMode[]) {
        if (!waiting.includes(mode)) ofChannel.push(await playOne(channel, mode));
      }
      return ofChannel;
    }),
  ]).then((all) => all.flat());

  t.comment(`${played.length} cases in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
  // Looked at once more at the end: what has ended stays as it is.
  const ended = await Promise.all(played.map(async (one) => ({ ...one, ...(await tell(one.recordId, one.channel)) })));
  for (const { mode, channel, expected, said, record } of ended) {
    t.match(said, new RegExp(`^${expected}$`), `${channel}, ${mode}`);
    for (const attempt of record.attempts) {
      t.ok(attempt.latencyMs >= 0 && attempt.attemptId.startsWith(`ntf.${record._id}.`));
      t.ok(attempt.outcome === 'accepted' ? attempt.providerMessageId : attempt.errorClass && attempt.reason);
    }
  }
  const unknown = new Set<FaultMode>(['500', 'hang', 'reset', 'answer-lost', 'slow-drip']);
  for (const { record, channel, mode } of ended.filter((one) => unknown.has(one.mode))) {
    t.equal(record.attempts[0]?.isUnknown, true, `${channel}, ${mode}: nobody knows whether it was taken`);
  }
});

t.test(
  'with all companies of a channel at fault it ends failed, after each had its tries',
  { skip: !isFull && 'HUSHRYD_FULL=1 runs it' },
  async (t) => {
    const expected: Partial<Record<FaultMode, string>> = {
      '500': 'AAABBB failed exhausted',
      hang: 'AAABBB failed exhausted',
      reset: 'AAABBB failed exhausted',
      auth: 'AB failed exhausted',
    };
    const cases = (['sms', 'email', 'voice'] as const).flatMap((channel) =>
      (Object.keys(expected) as FaultMode[]).map((mode) => ({ channel, mode })),
    );
    await Promise.all(
      cases.map(async ({ channel, mode }) => {
        const faulty = providersOf[channel].flatMap((name) => name ?? []);
        const wanted = expected[mode] ?? '';
        const recordId = await play(channel, mode, faulty, wanted);
        t.equal((await tell(recordId, channel)).said, wanted, `${channel}, ${mode}`);
      }),
    );
  },
);
