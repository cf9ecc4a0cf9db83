import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { ListNotificationsReply, Notification } from '@hushryd/contracts/http/notifications';
import type { Alert } from '@hushryd/contracts/http/sos';
import { createDeliveryDesk } from '@hushryd/outreach/delivery/delivery';
import { deliveryEnvironment, toDeliverySettings } from '@hushryd/outreach/delivery/delivery-settings';
import { createScorecardTelling } from '@hushryd/outreach/delivery/scorecard-exchange';
import { createScorecards } from '@hushryd/outreach/delivery/scorecards';
import type { NotificationChannel } from '@hushryd/outreach/notifications/notification-document';
import { createNotificationMetrics } from '@hushryd/outreach/notifications/notification-metrics';
import {
  notificationsEnvironment,
  toNotificationSettings,
} from '@hushryd/outreach/notifications/notification-settings';
import { createNotificationStore } from '@hushryd/outreach/notifications/notification-store';
import { createNotify } from '@hushryd/outreach/notifications/notify';
import { createPreferencesStore } from '@hushryd/outreach/notifications/preferences-store';
import { createProcessNotification } from '@hushryd/outreach/notifications/process-notification';
import { startSending } from '@hushryd/outreach/notifications/start-sending';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { freePort } from '@hushryd/platform/engines/ports';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createProviders } from '@hushryd/providers/providers';
import { providersEnvironment } from '@hushryd/providers/providers-environment';
import { signAttempt } from '@hushryd/providers/receipts/attempt-mac';
import { webhookAddress } from '@hushryd/providers/receipts/webhook-addresses';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import t from 'tap';
import Type from 'typebox';
import { press } from './sos-desk.ts';
import { asRider, contactBody, createCollections, environmentOf, operator, startTestApi } from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const port = await freePort();
const webhookBaseUrl = `http://127.0.0.1:${port}/v1/webhooks`;
const sandbox = await startSandbox({ webhookBaseUrl, receiptDelayMs: 10 });
t.teardown(() => sandbox.close());
const shared = {
  ...sandbox.environment,
  WEBHOOK_BASE_URL: webhookBaseUrl,
  MSG91_TEMPLATES: 'ride_ended.en=ride-ended-en',
  WHATSAPP_TEMPLATES: 'ride_ended=ride_ended',
};
const lines: string[] = [];
const environment = { ...environmentOf({ redis, mongo }), ...shared, PORT: String(port), LOG_LEVEL: 'debug' };
const api = await startTestApi(t, environment, { onLogLine: (line) => lines.push(line) });
const sender = await startSender();

const phone = () => `+9198${randomInt(10_000_000, 99_999_999)}`;
const newKey = () => randomBytes(9).toString('base64url');

/** What the worker does, in this process: the sweepers send. */
async function startSender() {
  const schema = Type.Object({ ...providersEnvironment, ...deliveryEnvironment, ...notificationsEnvironment });
  const values = readEnvironment(schema, { ...shared, NOTIFICATION_SWEEP_MS: '30' });
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const settings = toNotificationSettings(values);
  const delivery = toDeliverySettings(values);
  const providers = createProviders(values);
  await providers.warmUp();
  const store = createNotificationStore({ db: mongo.db });
  const cipher = createFieldCipher(toFieldKeys(environment));
  const scorecards = createScorecards({ telemetry });
  const process = createProcessNotification({
    store,
    desk: createDeliveryDesk({ settings: delivery, scorecards, telemetry, log }),
    providers,
    cipher,
    settings: { ...settings, deadlineMs: delivery.deadlineMs },
    metrics: createNotificationMetrics(telemetry),
    log,
    now: Date.now,
  });
  const sending = startSending({ store, process, settings, telemetry, log, now: Date.now });
  t.teardown(async () => {
    await sending.close();
    await providers.close();
  });
  const preferences = createPreferencesStore({ db: mongo.db });
  const parts = { store, preferences, cipher, settings, telemetry, log, now: Date.now };
  return { store, scorecards, notify: createNotify(parts) };
}

async function send(
  channel: NotificationChannel,
  to: string,
  more: { personId?: string; class?: 'high' | 'low' } = {},
) {
  const { personId, class: ofClass = 'high' } = more;
  const [notified] = await sender.notify({
    recipient: { personId, addresses: channel === 'push' ? { push: [to] } : { [channel]: to } },
    template: 'ride_ended',
    class: ofClass,
    channels: [channel],
    idempotencyKey: newKey(),
    variables: { person: 'Asha' },
  });
  return notified?.recordId ?? '';
}

const becomes = (recordId: string, state: string) =>
  waitFor(
    async () => {
      const found = await sender.store.findById(recordId);
      return found?.state === state ? found : undefined;
    },
    { withinMs: 20_000, what: `the state ${state}` },
  );

for (const { provider, channel, to, without } of [
  { provider: 'twilio-sms', channel: 'sms', to: phone() },
  { provider: 'msg91', channel: 'sms', to: phone(), without: 'twilio-sms' },
  { provider: 'whatsapp-cloud', channel: 'whatsapp', to: phone() },
  { provider: 'sendgrid', channel: 'email', to: 'asha.sendgrid@example.test' },
  { provider: 'mailgun', channel: 'email', to: 'asha.mailgun@example.test', without: 'sendgrid' },
] as const) {
  t.test(`${provider} tells the api that a message has arrived`, async (t) => {
    if (without !== undefined) sandbox.faults.set({ provider: without, mode: 'auth', recipient: to });

    const recordId = await send(channel, to);

    const record = await becomes(recordId, 'delivered');
    t.equal(record.attempts.at(-1)?.provider, provider);
    t.ok(Object.values(record.receipts).some(({ status }) => status === 'delivered' || status === 'read'));
  });
}

for (const provider of ['twilio-voice', 'exotel'] as const) {
  t.test(`${provider}: a call is made, says its words, and has arrived when it is answered`, async (t) => {
    const to = phone();
    if (provider === 'exotel') sandbox.faults.set({ provider: 'twilio-voice', mode: 'auth', recipient: to });
    const recordId = await send('voice', to);
    const call = await waitFor(() => sandbox.messages.list({ recipient: to, provider })[0], {
      withinMs: 20_000,
      what: 'the call',
    });

    await sandbox.phones.answer(call.id);

    await becomes(recordId, 'delivered');
    const said = sandbox.messages.get(call.id)?.call?.said.join(' ') ?? '';
    t.match(said, /Asha has arrived/);
  });
}

t.test('a call about an alert that this node does not know is not silent', async (t) => {
  const key = sandbox.credentials.pathKey;
  const url = webhookAddress({
    baseUrl: webhookBaseUrl,
    provider: 'exotel',
    attemptId: 'account',
    key,
    purpose: 'prompt',
  });
  const ask = (attemptId: string) => {
    const signed = signAttempt({ provider: 'exotel', attemptId, key });
    return fetch(`${url}?${new URLSearchParams({ CallSid: 'call-1', CustomField: signed })}`);
  };

  const told = await ask(`sos.${randomUUID()}.0123456789ab.1000001-1`);
  t.equal(told.status, 200);
  t.match(await told.json(), { gather_prompt: { text: /emergency alert.*press 1/ }, max_input_digits: 1 });
  t.equal((await ask('nothing-of-ours')).status, 404);
});

t.test('a call that nobody takes has not arrived', async (t) => {
  const to = phone();
  const recordId = await send('voice', to);
  const call = await waitFor(() => sandbox.messages.list({ recipient: to })[0], { withinMs: 20_000, what: 'the call' });

  sandbox.phones.decline(call.id);

  t.equal((await becomes(recordId, 'failed')).reason, 'not-answered');
});

t.test('a forged webhook is refused, and changes nothing', async (t) => {
  const before = await mongo.db.collection('webhook_events').countDocuments();
  const forged: [string, RequestInit][] = [
    ['/twilio-sms', { method: 'POST', body: new URLSearchParams({ MessageSid: 'SM1', MessageStatus: 'delivered' }) }],
    ['/sendgrid', { method: 'POST', body: '[{"event":"delivered"}]' }],
    ['/mailgun', { method: 'POST', body: '{"signature":{}}', headers: { 'content-type': 'application/json' } }],
    ['/whatsapp-cloud', { method: 'POST', body: '{"entry":[]}', headers: { 'x-hub-signature-256': 'sha256=00' } }],
    ['/msg91/account/wrong', { method: 'POST', body: 'data=[]' }],
    ['/exotel/a.b/wrong', { method: 'POST', body: 'CallSid=1' }],
    ['/exotel/account/wrong/prompt?CallSid=1', { method: 'GET' }],
  ];

  for (const [path, init] of forged) {
    const response = await fetch(`${webhookBaseUrl}${path}`, init);
    t.equal(response.status, 403, path);
    t.equal(((await response.json()) as { code: string }).code, 'webhook_refused');
  }
  t.equal((await fetch(`${webhookBaseUrl}/nobody`, { method: 'POST', body: 'x' })).status, 404);
  t.equal((await fetch(`${webhookBaseUrl}/msg91`, { method: 'DELETE' })).status, 405);
  t.equal(await mongo.db.collection('webhook_events').countDocuments(), before);
});

t.test('a fact that is told a hundred times is kept once, and a step back changes nothing', async (t) => {
  const key = sandbox.credentials.pathKey;
  const to = phone();
  sandbox.faults.set({ provider: 'twilio-sms', mode: 'auth', recipient: to });
  sandbox.faults.set({ provider: 'msg91', mode: 'accepted-then-silent', recipient: to });
  const recordId = await send('sms', to);
  const record = await becomes(recordId, 'accepted');
  const requestId = record.attempts.at(-1)?.providerMessageId ?? '';
  const url = webhookAddress({ baseUrl: webhookBaseUrl, provider: 'msg91', attemptId: 'account', key });
  const tell = (status: string) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ requestId, status, CRQID: '0' }),
    });

  const answers = await Promise.all(Array.from({ length: 100 }, () => tell('1')));
  t.ok(answers.every(({ status }) => status === 204));
  await becomes(recordId, 'delivered');
  t.equal((await tell('2')).status, 204);

  t.equal((await sender.store.findById(recordId))?.state, 'delivered', 'found by what MSG91 calls it');
  t.equal(await mongo.db.collection('webhook_events').countDocuments({ 'receipt.providerMessageId': requestId }), 2);
});

t.test('Meta’s handshake', async (t) => {
  const ask = (token: string) =>
    fetch(`${webhookBaseUrl}/whatsapp-cloud?hub.mode=subscribe&hub.verify_token=${token}&hub.challenge=4711`);

  const answered = await ask(sandbox.credentials.whatsapp.verifyToken);
  t.equal(answered.status, 200);
  t.match(answered.headers.get('content-type'), /text\/plain/);
  t.equal(await answered.text(), '4711');
  t.equal((await ask('wrong')).status, 403);
});

t.test('a push about an alert has arrived when the app of whoever it went to says so', async (t) => {
  const [rider, sister, stranger] = ['rider', 'sister', 'stranger'].map((name) => asRider(`${name}-${newKey()}`));
  const pushToken = `token-${newKey()}${newKey()}`;
  const device = { as: sister, body: { platform: 'android', pushToken } };
  t.ok((await api.call(`PUT /v1/devices/phone`, device)).status < 300);
  const contact = { ...contactBody, phone: phone(), channels: ['push'], userId: sister?.userId };
  t.equal((await api.call('PUT /v1/users/me/contacts/sister', { as: rider, body: contact })).status, 201);
  const correlationId = `press-${newKey()}`;
  const body = press();
  const pressed = await api.call('POST /v1/sos', { as: rider, body, headers: { 'x-request-id': correlationId } });
  t.ok(pressed.status === 201 || pressed.status === 202, `${pressed.status}`);

  const push = await waitFor(() => sandbox.messages.list({ recipient: pushToken })[0], {
    withinMs: 20_000,
    what: 'the push',
  });
  t.equal(push.correlationId, correlationId, 'the company may be asked by it');
  const { alertId, attempt_id: attemptId } = (push.content.data?.data ?? {}) as Record<string, string>;
  const say = (as: typeof rider) => api.call(`POST /v1/sos/${alertId}/seen`, { as, body: { attemptId } });
  t.equal((await say(stranger)).status, 404);
  t.equal((await say(rider)).status, 404, 'nor the person it is about');
  t.equal((await say(sister)).status, 204);

  const entry = await waitFor(
    async () => {
      const { outbox } = (await api.call<Alert>(`GET /v1/sos/${alertId}`, { as: operator })).body;
      return outbox?.find(({ channel, state }) => channel === 'push' && state === 'DELIVERED');
    },
    { withinMs: 20_000, what: 'the delivery' },
  );
  t.ok(entry);
  t.equal((await say(sister)).status, 204, 'and again');
});

t.test('a code that a person asks for goes out under the id of their request', async (t) => {
  const rider = asRider(`rider-${newKey()}`);
  const to = phone();
  await api.call('PUT /v1/users/me/contacts/asha', { as: rider, body: { ...contactBody, phone: to } });
  const headers = { 'x-request-id': `codes-${newKey()}` };

  const { status } = await api.call('POST /v1/users/me/contacts/asha/codes', {
    as: rider,
    body: { channel: 'sms' },
    headers,
  });

  t.equal(status, 202);
  const sent = await waitFor(() => sandbox.messages.list({ recipient: to })[0], { withinMs: 20_000, what: 'the code' });
  t.equal(sent.correlationId, headers['x-request-id']);
});

t.test('staff find what has failed, and send it again', async (t) => {
  const to = phone();
  for (const provider of ['twilio-sms', 'msg91'] as const) {
    sandbox.faults.set({ provider, mode: 'invalid-recipient', recipient: to });
  }
  const recordId = await send('sms', to);
  await becomes(recordId, 'failed');

  const { body } = await api.call<ListNotificationsReply>('GET /v1/notifications?state=failed&limit=1', {
    as: operator,
  });
  t.match(body.notifications, [
    { notificationId: recordId, reason: 'give-up', attempts: [{ errorClass: 'give-up', reason: 'recipient-invalid' }] },
  ]);
  t.type(body.nextCursor, 'string', 'the unanswered call is on the next page');
  const next = await api.call<ListNotificationsReply>(
    `GET /v1/notifications?state=failed&limit=100&cursor=${body.nextCursor}`,
    { as: operator },
  );
  t.match(next.body.notifications, [{ reason: 'not-answered' }]);
  t.equal((await api.call('GET /v1/notifications?state=failed&cursor=x', { as: operator })).status, 400);

  sandbox.faults.clear();
  const driven = await api.call<Notification>(`POST /v1/notifications/${recordId}/redrive`, { as: operator });
  t.equal(driven.status, 202);
  await becomes(recordId, 'delivered');
  t.equal((await api.call(`POST /v1/notifications/${recordId}/redrive`, { as: operator })).status, 409);
  t.ok(lines.some((line) => line.includes('redrive_notification') && line.includes(recordId)));
});

t.test('a person says what they want, and codes and critical messages come all the same', async (t) => {
  const rider = asRider(`rider-${newKey()}`);
  const route = 'v1/users/me/notification-preferences';
  t.match((await api.call(`GET /${route}`, { as: rider })).body, { quietHours: null, channelsOff: [] });
  const wanted = {
    locale: 'hi',
    timeZone: 'Asia/Kolkata',
    channelsOff: ['sms'],
    quietHours: { from: '00:00', to: '23:59' },
  };
  t.equal((await api.call(`PUT /${route}`, { as: rider, body: { ...wanted, timeZone: 'Mars/Olympus' } })).status, 400);
  t.equal((await api.call(`PUT /${route}`, { as: rider, body: wanted })).status, 200);
  t.strictSame((await api.call(`GET /${route}`, { as: rider })).body, wanted);

  const sms = await sender.store.findById(await send('sms', phone(), { personId: rider.userId }));
  t.match(sms, { state: 'suppressed', reason: 'channel_off', locale: 'hi' });
  const [critical] = await sender.notify({
    recipient: { personId: rider.userId, addresses: { sms: phone() } },
    template: 'ride_ended',
    class: 'critical',
    channels: ['sms'],
    idempotencyKey: newKey(),
    variables: { person: 'Asha' },
  });
  await becomes(critical?.recordId ?? '', 'delivered');
});

t.test('an app says that it has shown a push', async (t) => {
  const recordId = await send('push', `token-${newKey()}`, { personId: 'paula' });
  await becomes(recordId, 'accepted');
  t.equal((await api.call(`POST /v1/notifications/${recordId}/seen`, { as: asRider('somebody') })).status, 404);
  t.equal((await api.call(`POST /v1/notifications/${recordId}/seen`, { as: asRider('paula') })).status, 204);
  t.equal((await sender.store.findById(recordId))?.state, 'delivered');
});

t.test('scorecards of all processes are there for staff', async (t) => {
  const settings = redis.settings();
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const connections = await connectRedis({ settings, role: 'live', log });
  t.teardown(() => connections.close());
  const parts = { redis: connections.commands, keys: createKeys(settings), scorecards: sender.scorecards, log };
  for (const instanceId of ['worker-1', 'worker-2']) {
    const telling = createScorecardTelling({ ...parts, instanceId });
    await telling.runNow();
    await telling.close();
  }

  const { body } = await api.call<{ scorecards: { provider: string; attempts: number }[] }>(
    'GET /v1/providers/scorecards',
    {
      as: operator,
    },
  );

  const own = sender.scorecards.list().find(({ provider }) => provider === 'twilio-sms');
  const told = body.scorecards.find(({ provider }) => provider === 'twilio-sms');
  t.ok(own !== undefined && own.attempts > 0);
  t.equal(told?.attempts, 2 * (own?.attempts ?? 0));
});

t.test('nothing personal is in the log', async (t) => {
  t.notMatch(lines.join('\n'), /Asha|example\.test/);
  for (const { recipient } of sandbox.messages.list()) t.notOk(lines.join('\n').includes(recipient.replace('+', '')));
});
