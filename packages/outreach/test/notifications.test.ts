import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import type { OtpMessage } from '../src/people/codes/send-otp.ts';
import { hasEnded, newKey, openHub, phone } from './open-hub.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
const hub = await openHub(t, { redis, mongo });
hub.start();

const link = 'https://ride.example/s/abc';

t.test('a notification is recorded, queued, sent, and delivered when the receipt says so', async (t) => {
  const to = phone();

  const [notified] = await hub.notify({
    recipient: { locale: 'hi', addresses: { sms: to } },
    template: 'ride_started',
    class: 'high',
    channels: ['sms'],
    idempotencyKey: newKey(),
    variables: { person: 'Asha', link },
    correlationId: 'request-1',
  });

  t.match(notified, { channel: 'sms', isNew: true });
  const record = await hub.becomes(notified?.recordId ?? '', ({ state }) => state === 'delivered', 'the delivery');
  t.match(record, { lane: 'high', locale: 'hi', attempts: [{ provider: 'twilio-sms', outcome: 'accepted' }] });
  t.ok(hasEnded(record));
  const [message] = hub.sandbox.messages.list({ recipient: to });
  t.match(message, { correlationId: 'request-1', content: { text: /Asha रास्ते में हैं/ } });
  t.match(
    await hub.telemetry.registry.metrics(),
    /notification_delivery_seconds_count\{.*lane="high",channel="sms",provider="twilio-sms"\} 1/,
  );
});

t.test('the same key again is the same notification', async (t) => {
  const to = phone();
  const request = {
    recipient: { addresses: { sms: to, push: ['token-1', 'token-2'] } },
    template: 'ride_ended',
    class: 'normal',
    channels: ['sms', 'push', 'email'],
    idempotencyKey: newKey(),
    variables: { person: 'Asha' },
  } as const;

  const answers = await Promise.all([1, 2, 3].map(() => hub.notify(request)));

  const ids = answers.map((notified) => notified.map(({ recordId }) => recordId).sort());
  t.strictSame(ids[0], ids[1]);
  t.strictSame(ids[0], ids[2]);
  t.equal(ids[0]?.length, 3, 'one a channel and device; without an address none');
  t.equal(answers.flat().filter(({ isNew }) => isNew).length, 3);
  for (const id of ids[0] ?? []) await hub.becomes(id, hasEnded, 'its end');
  t.equal(hub.sandbox.messages.list({ recipient: to }).length, 1);
});

t.test('a code overtakes everything, and its next provider is tried where no receipt comes', async (t) => {
  const to = phone();
  hub.sandbox.faults.set({ provider: 'twilio-sms', mode: 'accepted-then-silent', recipient: to });

  const correlationId = `request-${newKey()}`;
  const { recordId } = await hub.sendOtp({ channel: 'sms', to, code: '482913', locale: 'en', correlationId });

  const record = await hub.becomes(recordId, ({ state }) => state === 'delivered', 'the delivery');
  t.equal(record.lane, 'otp');
  t.strictSame(
    record.attempts.map(({ provider }) => provider),
    ['twilio-sms', 'msg91'],
  );
  t.match(hub.sandbox.messages.list({ recipient: to, provider: 'msg91' }), [
    { correlationId, content: { data: { code: '482913' } } },
  ]);
});

t.test('what one company says of another one’s message changes nothing', async (t) => {
  const to = phone();
  hub.sandbox.faults.set({ provider: 'twilio-sms', mode: 'accepted-then-silent', recipient: to });
  const { recordId } = await hub.sendOtp({ channel: 'sms', to, code: '482914', locale: 'en' });
  const { attempts } = await hub.becomes(recordId, ({ state }) => state === 'accepted', 'its acceptance');
  const [first] = attempts;
  const told = { providerMessageId: newKey(), status: 'delivered', atMs: Date.now() } as const;
  const tell = (provider: 'mailgun' | 'msg91', attemptId: string) =>
    hub.takeReceipt({ ...told, provider, attemptId, eventId: newKey() });

  for (const provider of ['mailgun', 'msg91'] as const) await tell(provider, first?.attemptId ?? '');
  // An attempt that is not stored yet: the channel is known all the same.
  await tell('mailgun', `ntf.${recordId}.99-1`);

  t.strictSame((await hub.read(recordId)).receipts, {});
  const record = await hub.becomes(recordId, ({ state }) => state === 'delivered', 'the next company');
  t.strictSame(
    record.attempts.map(({ provider }) => provider),
    ['twilio-sms', 'msg91'],
  );
});

t.test(
  'a contact is invited in words of their own, in the nearest language, and a person’s own code says nothing of it',
  async (t) => {
    const send = async (message: Omit<OtpMessage, 'channel' | 'to' | 'code'>) => {
      const to = phone();
      const { recordId } = await hub.sendOtp({ channel: 'sms', to, code: '482913', ...message });
      const { template, locale } = await hub.becomes(recordId, ({ state }) => state === 'delivered', 'the delivery');
      const [text] = hub.sandbox.messages.list({ recipient: to }).map(({ content }) => content.text);
      return { template, locale, text };
    };

    const byNumber = await send({ locale: 'en-IN', invitation: { from: '+919800000001' } });
    t.match(byNumber, {
      template: 'contact_verify',
      locale: 'en',
      text: /^\+919800000001 wants you .* 482913 \(10 minutes\)/,
    });
    const byNobody = await send({ locale: 'hi', invitation: {} });
    t.match(byNobody, { template: 'contact_verify', locale: 'hi', text: /^आपको जानने वाले कोई व्यक्ति .*482913/ });
    t.match(await send({ locale: 'fr' }), { template: 'otp', locale: 'en', text: /^482913 is your HushRyd code/ });
  },
);

t.test('a push has arrived when the person’s own app says so', async (t) => {
  const token = `token-${newKey()}`;
  const [notified] = await hub.notify({
    recipient: { personId: 'rita', addresses: { push: [token] } },
    template: 'ride_started',
    class: 'high',
    channels: ['push'],
    idempotencyKey: newKey(),
    variables: { person: 'Asha', link },
  });
  const recordId = notified?.recordId ?? '';
  await hub.becomes(recordId, ({ state }) => state === 'accepted', 'its acceptance');
  const [message] = hub.sandbox.messages.list({ recipient: token });
  t.match(message?.content.data, { data: { notificationId: recordId } });

  t.equal(await hub.markSeen({ recordId, personId: 'somebody-else' }), false);
  t.equal((await hub.read(recordId)).state, 'accepted');
  t.equal(await hub.markSeen({ recordId, personId: 'rita' }), true);
  t.equal((await hub.read(recordId)).state, 'delivered');
});

t.test('what nobody can deliver fails visibly, and is sent again when staff say so', async (t) => {
  const to = phone();
  for (const provider of ['twilio-sms', 'msg91'] as const) {
    hub.sandbox.faults.set({ provider, mode: 'auth', recipient: to });
  }
  const { recordId } = await hub.sendOtp({ channel: 'sms', to, code: '123456', locale: 'en' });
  const failed = await hub.becomes(recordId, ({ state }) => state === 'failed', 'its failure');
  t.match(failed, { reason: 'exhausted', attempts: [{ errorClass: 'next' }, { errorClass: 'next' }] });

  hub.sandbox.faults.clear();
  const driven = await hub.store.redrive(recordId, { nowMs: Date.now(), expiresAt: new Date(Date.now() + 60_000) });
  t.equal(driven?.state, 'queued');
  const delivered = await hub.becomes(recordId, ({ state }) => state === 'delivered', 'the delivery');
  t.equal(delivered.attempts.length, 3, 'what was tried before is still there');
  t.equal(await hub.store.redrive(recordId, { nowMs: Date.now(), expiresAt: new Date() }), null);
});

t.test('a record that nothing ever comes of is put aside', async (t) => {
  const [notified] = await hub.notify({
    recipient: { addresses: { sms: phone() } },
    template: 'ride_ended',
    class: 'low',
    channels: ['sms'],
    idempotencyKey: newKey(),
    variables: { person: 'Asha' },
  });
  const recordId = notified?.recordId ?? '';
  // A receipt that comes later would end it another way.
  await hub.becomes(recordId, ({ state }) => state === 'delivered', 'its receipt');
  const now = new Date();
  // As if five workers had died with it.
  await mongo.db
    .collection<{ _id: string }>('notifications')
    .updateOne(
      { _id: recordId },
      { $set: { state: 'queued', isOpen: true, nextAt: now, starts: 5 }, $unset: { endedAt: '' } },
    );

  const record = await hub.becomes(recordId, ({ state }) => state === 'failed', 'its isolation');

  t.equal(record.reason, 'poison');
  t.match(hub.lines.filter((line) => line.includes(recordId)).join(), /put aside/);
});

t.test('nothing personal is in logs, metrics, jobs, or readable in records', async (t) => {
  const records = await mongo.db.collection('notifications').find().toArray();
  const events = await mongo.db.collection('webhook_events').find().toArray();
  await waitFor(() => records.length > 5 && events.length > 3, { withinMs: 1_000, what: 'something to look at' });
  const everything = [
    ...hub.lines,
    await hub.telemetry.registry.metrics(),
    JSON.stringify(records),
    JSON.stringify(events),
  ].join('\n');

  for (const message of hub.sandbox.messages.list()) t.notOk(everything.includes(message.recipient.replace('+', '')));
  t.notMatch(everything, /Asha|482913|ride\.example/);
});
