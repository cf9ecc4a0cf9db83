import type { Contact } from '@hushryd/contracts/http/contacts';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import type { AlertDocument, OutboxEntry } from '../src/alerts/alert-document.ts';
import { acknowledgeAlert, closeAlert } from '../src/alerts/handle-alert.ts';
import { alertAttemptId } from '../src/dispatch/attempt-id.ts';
import { callPerson } from '../src/dispatch/call-person.ts';
import { createDispatchStore } from '../src/dispatch/dispatch-store.ts';
import type { OnCallPerson } from '../src/people/on-call/on-call-document.ts';
import { type AlertRoom, entryOf, gone, openAlertRoom } from './open-alert-room.ts';
import { newKey, phone } from './open-hub.ts';

// From an alert's outbox to people, over real stores and played companies.

const room = await openAlertRoom(t, { redis: await testRedis(t), mongo: await testMongo(t) });
const withinMs = 20_000;
/** Where it counts who was asked how often: nobody is asked again since a machine is busy. */
const patient = { PROVIDER_DEADLINE_MS: '20000', SOS_LEASE_MS: '60000', SOS_RECEIPT_WAIT_MS: '60000' };
/** Receipts come as close together as they are gathered. */
const quickMs = 3_000;

function contactOf(changes: Partial<Contact> = {}): Contact {
  return {
    contactId: `c-${newKey()}`,
    name: 'Asha',
    phone: phone(),
    locale: 'en',
    channels: ['sms'],
    isPhoneVerified: true,
    isEmailVerified: true,
    ...changes,
  };
}

function onCallPerson(changes: Partial<OnCallPerson> = {}): OnCallPerson {
  return { personId: `p-${newKey()}`, name: 'Dana', phone: phone(), locale: 'en', channels: ['voice'], ...changes };
}

/** A contact who is to be reached in every way, with a device of this user's. */
async function onEveryChannel(room: AlertRoom, userId: string): Promise<Contact> {
  await room.putDevice(userId, `token-${userId}`);
  return contactOf({ channels: ['sms', 'whatsapp', 'push', 'email', 'app'], email: 'asha@example.test', userId });
}

const order = (alertId: string) => ({ alertId, by: 'olga', authorise: () => undefined });
const sealer = { seal: (text: string) => text };
async function leftOutDevices(): Promise<number> {
  const { values } = (await room.telemetry.registry.getSingleMetric('sos_unreadable_devices_total')?.get()) ?? {};
  return values?.[0]?.value ?? 0;
}
const messageTo = (recipient: string, channel?: string) =>
  waitFor(() => room.sandbox.messages.list({ recipient, channel })[0], {
    withinMs,
    what: `a message to ${recipient}`,
  });

t.test('everybody is reached over every channel, and the document keeps what ended', async (t) => {
  const room = await openAlertRoom(t, { redis: await testRedis(t), mongo: await testMongo(t) }, patient);
  const userId = `rider-${newKey()}`;
  const app = `user-${newKey()}`;
  const contact = await onEveryChannel(room, app);
  await room.putOwnPhone(userId, '+919800000001');
  const { _id: alertId } = await room.raise([contact], userId);

  await room.dispatch.dispatch(alertId);

  const alert = await room.becomesQuiet(alertId);
  const states = Object.fromEntries(alert.outbox.map(({ channel, state }) => [channel, state]));
  t.match(states, { desk: 'ACCEPTED', incident: 'ACCEPTED', sms: 'DELIVERED', whatsapp: 'DELIVERED' });
  t.match(states, { push: 'ACCEPTED', app: 'ACCEPTED', email: /ACCEPTED|DELIVERED/ });
  const [sms] = room.sandbox.messages.list({ recipient: contact.phone, channel: 'sms' });
  t.match(sms?.content.text, /\+919800000001 needs help now.*share\.html#/);
  t.match((await room.sandbox.messages.list({ channel: 'incident' })).at(-1)?.content.data, {
    action: 'trigger',
    dedupKey: alertId,
    details: { user_id: userId, lat: 41.15 },
  });
  t.match(await room.eventsOf('admin:sos'), [{ name: 'sos.raised', alertId, sound: true }]);
  t.match(await room.eventsOf(`user:${app}`), [{ name: 'contact.sos', alertId, url: /share\.html#/ }]);

  const attempts = await room.attempts(alertId);
  t.equal(attempts.length, 5);
  for (const { _id, entryId, number, outcome, providerMessageId, latencyMs } of attempts) {
    t.equal(_id, alertAttemptId({ alertId, entryId, number }));
    t.ok(_id.length < 100 && outcome === 'accepted' && providerMessageId && latencyMs >= 0);
  }
  t.equal(alert.version, 1, 'nothing changed that people see');
  t.ok(alert.outbox.every(({ state, tries }) => state === 'ACCEPTED' || tries.length === 0));
});

t.test('with the one that raised it, an alert on every channel costs at most five writes', async (t) => {
  const room = await openAlertRoom(t, { redis: await testRedis(t), mongo: await testMongo(t) }, patient);
  async function countWrites() {
    const { _id: alertId } = await room.raise([await onEveryChannel(room, `user-${newKey()}`)]);
    room.writes.length = 0;
    const startedAt = performance.now();
    await room.dispatch.dispatch(alertId);
    await room.becomesQuiet(alertId);
    return { writes: [...room.writes], tookMs: Math.round(performance.now() - startedAt) };
  }

  // On a busy machine receipts come further apart than they are gathered. That costs writes and saves none: of some slow runs the best counts.
  const runs = [await countWrites()];
  while (runs.length < 4 && runs.every(({ tookMs }) => tookMs > quickMs)) runs.push(await countWrites());

  const quick = runs.find(({ tookMs }) => tookMs <= quickMs);
  const least = quick ?? runs.toSorted((one, next) => one.writes.length - next.writes.length)[0];
  t.ok(least !== undefined && least.writes.length <= 4, JSON.stringify(runs));
});

t.test('every company is told the correlation id of the press', async (t) => {
  const app = `user-${newKey()}`;
  await room.putDevice(app, `token-${app}`);
  const contact = contactOf({
    channels: ['sms', 'whatsapp', 'push', 'email', 'voice'],
    email: 'a@example.test',
    userId: app,
  });
  const correlationId = `press-${newKey()}`;
  const { _id: alertId } = await room.raise([contact], undefined, { correlationId });

  await room.dispatch.dispatch(alertId);

  await messageTo(contact.phone, 'voice');
  const attemptIds = (await room.attempts(alertId)).map(({ _id }) => _id);
  const sent = room.sandbox.messages.list().filter(({ attemptId = '' }) => attemptIds.includes(attemptId));
  const channels = ['email', 'incident', 'push', 'sms', 'voice', 'whatsapp'];
  t.same(sent.map(({ channel }) => channel).sort(), channels);
  for (const { channel, correlationId: told } of sent) t.equal(told, correlationId, channel);
});

t.test('what nobody can carry fails visibly, and holds up nothing else', async (t) => {
  const contact = contactOf({ channels: ['sms', 'email'] });
  const { _id: alertId } = await room.raise([contact]);

  await room.dispatch.dispatch(alertId);

  const alert = await room.becomesQuiet(alertId);
  t.match(entryOf(alert, 'email'), { state: 'FAILED', reason: 'no-address' });
  t.match(entryOf(alert, 'sms'), { state: 'DELIVERED' });
});

t.test('a contact who was removed after the press is not written to', async (t) => {
  const [gone, kept] = [contactOf(), contactOf()];
  const alert = await room.raise([gone, kept]);
  await room.putContacts(alert.person.userId, [kept]);

  await room.dispatch.dispatch(alert._id);

  await messageTo(kept.phone);
  t.match(await room.read(alert._id), { outbox: { 2: { state: 'FAILED', reason: 'contact-removed' } } });
  t.equal(room.sandbox.messages.list({ recipient: gone.phone }).length, 0);
});

t.test('a contact who cannot be decrypted fails visibly after some tries, and holds up nobody else', async (t) => {
  const [lost, whole] = [contactOf(), contactOf()];
  const { _id: alertId } = await room.raise([lost, whole]);
  await room.db.collection<AlertDocument>('alerts').updateOne({ _id: alertId }, { $set: { 'contacts.0.phone': gone } });

  await room.dispatch.dispatch(alertId);
  await messageTo(whole.phone);
  t.match((await room.read(alertId)).outbox[2], { state: 'PENDING' }, 'another process may have the key');
  for (let tries = 1; tries < 5; tries += 1) {
    await room.passTime(alertId, 5_100);
    await room.dispatch.dispatch(alertId);
  }

  const alert = await room.becomesQuiet(alertId);
  t.match(alert.outbox[2], { state: 'FAILED', reason: 'unreadable' });
  t.match(
    alert.facts.filter(({ kind }) => kind === 'not_delivered'),
    [{ data: { reason: 'unreadable' } }],
  );
});

t.test('one on call who cannot be decrypted keeps an alert from nobody else', async () => {
  const [lost, whole] = [onCallPerson(), onCallPerson()];
  await room.putRota([[lost, whole]]);
  await room.loseOnCall(lost.personId);
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);

  await room.dispatch.dispatch(alertId);

  await messageTo(whole.phone, 'voice');
});

t.test('a device whose token cannot be decrypted keeps an alert from none of the others', async (t) => {
  const app = `user-${newKey()}`;
  const lost = await room.putDevice(app, `token-lost-${app}`);
  await room.putDevice(app, `token-${app}`);
  await room.loseDevice(lost);
  const { _id: alertId } = await room.raise([contactOf({ channels: ['push'], userId: app })]);
  const before = await leftOutDevices();

  await room.dispatch.dispatch(alertId);

  await messageTo(`token-${app}`, 'push');
  const alert = await room.becomesQuiet(alertId);
  t.match(entryOf(alert, 'push'), { state: 'ACCEPTED', attempts: 1 });
  t.equal((await leftOutDevices()) - before, 1, 'it is counted');
});

t.test('a person none of whose devices can be decrypted fails visibly, and not the others on call', async (t) => {
  const [lost, whole] = [onCallPerson({ channels: ['push'] }), onCallPerson({ channels: ['push'] })];
  await room.putRota([[lost, whole]]);
  for (const { personId } of [lost, whole]) {
    const device = await room.putDevice(personId, `token-${personId}`);
    if (personId === lost.personId) await room.loseDevice(device);
  }
  const { _id: alertId } = await room.raise([contactOf({ channels: ['push'], userId: lost.personId })]);
  await room.passTime(alertId, 31_000);

  await room.dispatch.dispatch(alertId);

  await messageTo(`token-${whole.personId}`, 'push');
  t.match(entryOf(await room.read(alertId), 'push'), { state: 'PENDING', recipient: { kind: 'contact' } });
  for (let tries = 1; tries < 5; tries += 1) {
    await room.passTime(alertId, 5_100);
    await room.dispatch.dispatch(alertId);
  }
  t.match(entryOf(await room.read(alertId), 'push'), { state: 'FAILED', reason: 'unreadable' });
});

t.test('contacts that could not be read with the press are told when they can be', async (t) => {
  const userId = `rider-${newKey()}`;
  const contact = contactOf();
  await room.putContacts(userId, [contact]);
  const { _id: alertId } = await room.raise(undefined, userId);

  await room.dispatch.dispatch(alertId);

  await messageTo(contact.phone);
  t.match((await room.read(alertId)).contacts, [{ contactId: contact.contactId }]);
});

t.test('what is due is taken once, however many ask at the same moment', async (t) => {
  const contact = contactOf();
  const { _id: alertId } = await room.raise([contact]);
  await Promise.all(Array.from({ length: 8 }, () => room.dispatch.dispatch(alertId)));

  await room.becomesQuiet(alertId);
  t.equal(room.sandbox.messages.list({ recipient: contact.phone }).length, 1);
});

t.test('nobody acknowledges: whoever is on call is called level by level, and 1 takes the alert', async (t) => {
  const [first, second, third] = [onCallPerson(), onCallPerson(), onCallPerson()];
  await room.putRota([[first, second], [third]]);
  const { _id: alertId } = await room.raise([]);
  await room.dispatch.dispatch(alertId);

  await room.passTime(alertId, 31_000);
  await room.dispatch.dispatch(alertId);
  const call = await messageTo(first.phone);
  t.match(await room.read(alertId), { escalation: { level: 1 }, version: 2 });
  // Nobody takes it: the next one of the level is called.
  room.sandbox.phones.decline(call.id);
  await room.becomes(alertId, ({ workAt }) => (workAt?.getTime() ?? 0) <= Date.now(), 'the next person’s turn');
  await room.dispatch.dispatch(alertId);
  await messageTo(second.phone);

  await room.passTime(alertId, 61_000);
  await room.dispatch.dispatch(alertId);
  const next = await messageTo(third.phone);
  await room.sandbox.phones.answer(next.id, '1');

  const alert = await room.becomes(alertId, ({ state }) => state === 'acknowledged', 'the acknowledgement');
  t.match(alert, { acknowledgedBy: third.personId, escalation: { level: 2, nextAt: null } });
  t.ok(alert.facts.some(({ kind }) => kind === 'escalated'));
  // PagerDuty hears of it too.
  await room.dispatch.dispatch(alertId);
  t.match(room.sandbox.messages.list({ channel: 'incident' }).at(-1)?.content.data, {
    action: 'acknowledge',
    dedupKey: alertId,
  });
});

t.test('whoever is on call is called, also who asked for channels that nobody is paged by', async () => {
  const person = onCallPerson({ channels: ['email'], email: 'dana@example.test' });
  await room.putRota([[person]]);
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);

  await room.dispatch.dispatch(alertId);

  await messageTo(person.phone, 'voice');
});

t.test('of several people on call, only those whom one company could not reach are tried at the next', async (t) => {
  const [reached, failed] = [onCallPerson({ channels: ['sms'] }), onCallPerson({ channels: ['sms'] })];
  await room.putRota([[reached, failed]]);
  room.sandbox.faults.set({ provider: 'twilio-sms', mode: '500', recipient: failed.phone });
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);

  await room.dispatch.dispatch(alertId);

  await messageTo(reached.phone, 'sms');
  await messageTo(failed.phone, 'sms');
  const texts = (await room.attempts(alertId)).filter(({ channel }) => channel === 'sms');
  t.same(
    texts.map(({ personId, provider, outcome }) => [personId, provider, outcome]).toSorted(),
    [
      [reached.personId, 'twilio-sms', 'accepted'],
      [failed.personId, 'twilio-sms', 'failed'],
      [failed.personId, 'msg91', 'accepted'],
    ].toSorted(),
  );
  t.equal(new Set(texts.map(({ _id }) => _id)).size, 3, 'each is a record of its own');
  t.equal(room.sandbox.messages.list({ recipient: reached.phone, channel: 'sms' }).length, 1);
  const facts = (await room.read(alertId)).facts.filter(
    ({ kind, data }) => kind === 'attempt' && data?.channel === 'sms',
  );
  t.equal(facts.length, 3, 'and a line of the timeline');
});

t.test(
  'of several people on call the entry ends as accepted where one was reached, and failed where nobody was',
  async (t) => {
    const [reached, lost] = [onCallPerson({ channels: ['sms'] }), onCallPerson({ channels: ['sms'] })];
    await room.putRota([[reached, lost]]);
    for (const provider of ['twilio-sms', 'msg91'] as const) {
      room.sandbox.faults.set({ provider, mode: 'invalid-recipient', recipient: lost.phone });
    }
    const { _id: alertId } = await room.raise([]);
    await room.passTime(alertId, 31_000);

    await room.dispatch.dispatch(alertId);

    await room.becomes(
      alertId,
      ({ outbox }) => outbox.every(({ recipient, channel }) => recipient.kind !== 'on_call' || channel !== 'sms'),
      'the end of the texts',
    );
    const ends = (await room.read(alertId)).facts.filter(
      ({ kind, data }) => kind === 'not_delivered' && data?.channel === 'sms',
    );
    t.same(ends, []);
    const attempts = (await room.attempts(alertId)).filter(({ channel }) => channel === 'sms');
    t.same(attempts.map(({ outcome }) => outcome).toSorted(), ['accepted', 'failed', 'failed']);
  },
);

t.test('of several people on call, the receipt of one keeps the text from none of the others', async (t) => {
  const [reached, silent] = [onCallPerson({ channels: ['sms'] }), onCallPerson({ channels: ['sms'] })];
  await room.putRota([[reached, silent]]);
  room.sandbox.faults.set({ provider: 'twilio-sms', mode: 'accepted-then-silent', recipient: silent.phone });
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);
  await room.dispatch.dispatch(alertId);
  const text = await messageTo(reached.phone, 'sms');
  await waitFor(() => room.isTaken({ providerMessageId: text.id, status: 'delivered' }), {
    withinMs,
    what: 'a receipt',
  });

  const isText = ({ recipient, channel }: OutboxEntry) => recipient.kind === 'on_call' && channel === 'sms';
  const waiting = await room.becomes(
    alertId,
    ({ outbox }) => outbox.some((entry) => isText(entry) && entry.tries.some(({ result }) => result === 'arrived')),
    'the receipt of one',
  );
  t.match(waiting.outbox.find(isText), { state: 'ACCEPTED', dueAt: Date });
  // The other one’s does not come: the next company is asked, and after that nobody.
  for (let round = 1; round <= 2; round += 1) {
    await room.passTime(alertId, 2_100);
    await room.dispatch.dispatch(alertId);
  }
  await room.becomes(alertId, ({ outbox }) => !outbox.some(isText), 'the end of the texts');

  const texts = room.sandbox.messages.list({ recipient: silent.phone, channel: 'sms' });
  t.same(
    texts.map(({ provider }) => provider),
    ['twilio-sms', 'msg91'],
  );
});

t.test('of several people on call, the receipt of one stops nobody who still tries to reach the others', async (t) => {
  const [reached, failing] = [onCallPerson({ channels: ['sms'] }), onCallPerson({ channels: ['sms'] })];
  await room.putRota([[reached, failing]]);
  // It fails at once, and the other one takes as long as a provider may: the receipt comes in between.
  room.sandbox.faults.set({ provider: 'twilio-sms', mode: '500', recipient: failing.phone });
  room.sandbox.faults.set({ provider: 'msg91', mode: 'hang', recipient: failing.phone });
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);

  await room.dispatch.dispatch(alertId);

  const text = await messageTo(reached.phone, 'sms');
  await waitFor(() => room.isTaken({ providerMessageId: text.id, status: 'delivered' }), {
    withinMs,
    what: 'a receipt',
  });
  const tries = (await room.attempts(alertId)).filter(({ personId, channel }) => {
    return personId === failing.personId && channel === 'sms';
  });
  t.ok(tries.length > 2, `${tries.map(({ provider }) => provider)}`);
});

t.test('a mailbox acknowledges nothing: when it has hung up, the next one of the level is called', async (t) => {
  const [first, second] = [onCallPerson(), onCallPerson()];
  await room.putRota([[first, second]]);
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);
  await room.dispatch.dispatch(alertId);
  const call = await messageTo(first.phone);

  await room.sandbox.phones.answer(call.id);
  await waitFor(() => room.isTaken({ providerMessageId: call.id, status: 'answered' }), { withinMs, what: 'answered' });
  await room.dispatch.dispatch(alertId);
  t.equal(
    room.sandbox.messages.list({ recipient: second.phone }).length,
    0,
    'while the call lasts nobody else is called',
  );

  room.sandbox.phones.hangUp(call.id);
  await room.becomes(alertId, ({ workAt }) => (workAt?.getTime() ?? 0) <= Date.now(), 'the next person’s turn');
  await room.dispatch.dispatch(alertId);
  await messageTo(second.phone);
  t.match(await room.read(alertId), { state: 'open', escalation: { level: 1 } });
});

t.test('the key counts also where whoever made the call died before it was stored', async (t) => {
  await room.putRota([[onCallPerson()]]);
  const { _id: alertId } = await room.raise([]);
  await room.passTime(alertId, 31_000);
  await room.dispatch.dispatch(alertId);
  const calls = (await room.read(alertId)).outbox.filter(({ channel, recipient }) => {
    return channel === 'voice' && recipient.kind === 'on_call';
  });

  const isTaken = await room.dispatch.takeReceipt({
    provider: 'twilio-voice',
    providerMessageId: newKey(),
    attemptId: alertAttemptId({ alertId, entryId: calls[0]?.entryId ?? '', number: '99-1' }),
    status: 'answered',
    atMs: Date.now(),
    eventId: newKey(),
    digits: '1',
  });

  t.equal(isTaken, 'acknowledged');
  t.match(await room.read(alertId), { state: 'acknowledged', escalation: { nextAt: null } });
});

t.test('a key that a contact presses acknowledges nothing', async (t) => {
  const contact = contactOf({ channels: ['voice'] });
  const { _id: alertId } = await room.raise([contact]);
  await room.dispatch.dispatch(alertId);
  const call = await messageTo(contact.phone);
  const attempt = (await room.attempts(alertId)).find(({ channel }) => channel === 'voice');
  const receipt = { provider: 'twilio-voice', providerMessageId: call.id, status: 'answered' } as const;

  const isTaken = await room.dispatch.takeReceipt({
    ...receipt,
    attemptId: attempt?._id ?? '',
    atMs: Date.now(),
    eventId: newKey(),
    digits: '1',
  });

  t.equal(isTaken, true);
  t.match(await room.read(alertId), { state: 'open', outbox: { 2: { state: 'DELIVERED' } } });
});

t.test('receipts: repeated and older ones change nothing, those of others are nobody’s', async (t) => {
  const { dispatch } = room;
  const contact = contactOf();
  const { _id: alertId } = await room.raise([contact]);
  await dispatch.dispatch(alertId);
  await room.becomesQuiet(alertId);
  const [attempt] = (await room.attempts(alertId)).filter(({ channel }) => channel === 'sms');
  const before = await room.read(alertId);
  const receipt = {
    provider: 'twilio-sms',
    providerMessageId: attempt?.providerMessageId ?? '',
    attemptId: attempt?._id ?? '',
    atMs: Date.now(),
    eventId: newKey(),
  } as const;

  for (const status of ['delivered', 'sent', 'failed'] as const) {
    t.equal(await dispatch.takeReceipt({ ...receipt, status }), true);
  }

  t.same(await room.read(alertId), before);
  t.equal(await dispatch.takeReceipt({ ...receipt, attemptId: 'ntf.abc.1-1', status: 'sent' }), false);
});

t.test(
  'what one company says of another one’s message changes nothing: the next company is asked all the same',
  async (t) => {
    const contact = contactOf();
    room.sandbox.faults.set({ provider: 'twilio-sms', mode: 'accepted-then-silent', recipient: contact.phone });
    const { _id: alertId } = await room.raise([contact]);
    await room.dispatch.dispatch(alertId);
    const [attempt] = (await room.attempts(alertId)).filter(({ channel }) => channel === 'sms');
    const before = await room.read(alertId);
    const receipt = { providerMessageId: newKey(), status: 'delivered', atMs: Date.now(), eventId: newKey() } as const;
    const entryId = attempt?.entryId ?? '';
    const tell = (provider: 'mailgun' | 'msg91' | 'twilio-sms', attemptId: string) =>
      room.dispatch.takeReceipt({ ...receipt, provider, attemptId });

    for (const provider of ['mailgun', 'msg91'] as const) t.equal(await tell(provider, attempt?._id ?? ''), false);
    // An attempt that is not stored yet: the channel is known all the same.
    t.equal(await tell('mailgun', alertAttemptId({ alertId, entryId, number: '99-1' })), false);

    t.same(await room.read(alertId), before);
    await room.passTime(alertId, 2_100);
    await room.dispatch.dispatch(alertId);
    t.ok(
      room.sandbox.messages.list({ recipient: contact.phone, provider: 'msg91' })[0],
      'the next company has sent it',
    );
    t.equal(await tell('twilio-sms', attempt?._id ?? ''), true);
    t.match(entryOf(await room.read(alertId), 'sms'), { state: 'DELIVERED' }, 'its own company is heard');
  },
);

t.test('when it is over the incident is resolved and whoever was told hears of it; nothing else is sent', async (t) => {
  const [told, silent] = [contactOf(), contactOf()];
  const alert = await room.raise([told, silent]);
  const alertId = alert._id;
  // Until it can be read again nobody knows where to write to.
  const alerts = room.db.collection<AlertDocument>('alerts');
  await alerts.updateOne({ _id: alertId }, { $set: { 'contacts.1.phone': gone } });
  await room.dispatch.dispatch(alertId);
  await messageTo(told.phone);
  t.match((await room.read(alertId)).outbox[3], { state: 'PENDING', attempts: 0 }, 'one was told of nothing');
  await alerts.updateOne({ _id: alertId }, { $set: { 'contacts.1.phone': alert.contacts[1]?.phone ?? '' } });

  await acknowledgeAlert(room.work, order(alertId));
  await closeAlert({ ...room.work, sealer }, { ...order(alertId), state: 'resolved', reason: 'helped' });
  const closed = await room.read(alertId);
  t.match(closed, { open: false, hasWork: true, escalation: { nextAt: null } });
  await room.dispatch.dispatch(alertId);

  await room.becomes(alertId, ({ hasWork }) => !hasWork, 'an alert without work');
  t.match(
    room.sandbox.messages.list({ recipient: told.phone }).map(({ content }) => content.text),
    [/needs help now/, /is over/],
  );
  t.match(room.sandbox.messages.list({ channel: 'incident' }).at(-1)?.content.data, {
    action: 'resolve',
    dedupKey: alertId,
  });
  t.same(room.sandbox.messages.list({ recipient: silent.phone }), []);
});

t.test('an operator has the person called, once a call id, and no number is seen', async (t) => {
  const { _id: alertId, person } = await room.raise([]);
  const work = { ...room.work, readOwnPhone: room.readOwnPhone };
  await t.rejects(callPerson(work, order(alertId)), { code: 'sos_phone_unknown' });
  const own = phone();
  await room.putOwnPhone(person.userId, own);

  await callPerson(work, { ...order(alertId), callId: 'one' });
  await callPerson(work, { ...order(alertId), callId: 'one' });
  await room.dispatch.dispatch(alertId);

  const call = await messageTo(own);
  t.equal(call.channel, 'voice');
  t.equal(room.sandbox.messages.list({ recipient: own }).length, 1);
  t.notMatch(JSON.stringify(await room.read(alertId)), own);
});

t.test(
  'the longest unacknowledged alert is the one whose last press is the oldest, not the first one raised',
  async (t) => {
    const alerts = room.db.collection<AlertDocument>('alerts');
    const [pressedAgain, forgotten] = [await room.raise([]), await room.raise([])];
    const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    await alerts.updateOne({ _id: pressedAgain._id }, { $set: { receivedAt: ago(9) } });
    await alerts.updateOne({ _id: forgotten._id }, { $set: { receivedAt: ago(8), lastPressedAt: ago(8) } });
    const store = createDispatchStore({ db: room.db, settings: { leaseMs: 5_000, escalateEveryMs: 60_000 } });

    const ageMs = await store.oldestUnackedMs();
    await Promise.all([pressedAgain, forgotten].map(({ _id }) => alerts.deleteOne({ _id })));

    t.ok(ageMs > 7.9 * 3_600_000 && ageMs < 8.1 * 3_600_000, `${ageMs} ms`);
  },
);

t.test('the sweeper finds what nobody was told of, in closed alerts too', async (t) => {
  const contact = contactOf();
  const { _id: alertId } = await room.raise([contact]);
  room.dispatch.start();

  await messageTo(contact.phone);
  await closeAlert({ ...room.work, sealer }, { ...order(alertId), state: 'false_alarm', reason: 'a test' });

  await room.becomes(alertId, ({ hasWork }) => !hasWork, 'an alert without work');
  const metrics = await room.telemetry.registry.metrics();
  for (const name of [
    'sos_unacked_age',
    'outbox_oldest_age',
    'sos_first_attempt_seconds_count',
    'sos_unpersisted_notify',
  ]) {
    t.match(metrics, new RegExp(`^${name}\\{`, 'm'), name);
  }
});

t.test('a process that ends leaves the next company to others, at once', async (t) => {
  const leaving = await openAlertRoom(t, { redis: await testRedis(t), mongo: await testMongo(t) });
  const contact = contactOf();
  leaving.sandbox.faults.set({ provider: 'twilio-sms', mode: 'hang' });
  const { _id: alertId } = await leaving.raise([contact]);

  const sending = leaving.dispatch.dispatch(alertId);
  await leaving.dispatch.close();
  await sending;

  const entry = entryOf(await leaving.read(alertId), 'sms');
  t.match(entry, { state: 'PENDING', attempts: 1, tries: [{ provider: 'twilio-sms' }] });
  t.ok((entry?.dueAt?.getTime() ?? Number.POSITIVE_INFINITY) <= Date.now(), 'nobody has to wait for the lease');
  t.same(leaving.sandbox.messages.list({ recipient: contact.phone }), []);
});
