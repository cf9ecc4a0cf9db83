import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { freePort } from '@hushryd/platform/engines/ports';
import { startService } from '@hushryd/platform/testing/service-process';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createHttpClient, type HttpClient } from '@hushryd/sdk/http/http-client';
import { createShareClient } from '@hushryd/sdk/http/share-client';
import { uuidV7 } from '@hushryd/sdk/sos/uuid-v7';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { readCode } from '../src/simulated-sos/read-code.ts';
import { startSystem } from './system.ts';
import { trailLink } from './trail-link.ts';

// What the app of a rider, a driver or a contact asks of the api beside trips and fixes, by the SDK's typed calls, over real processes.

const within = { withinMs: 30_000 };
const fieldKey = randomBytes(32).toString('base64');
const inbox = await startInbox();
const system = await startSystem(t, {
  realtimes: 0,
  // No receipt has to arrive.
  env: {
    ...inbox.environment,
    WEBHOOK_BASE_URL: 'http://127.0.0.1:9/v1/webhooks',
    FIELD_KEYS: JSON.stringify({ test: fieldKey }),
    FIELD_KEY_CURRENT: 'test',
  },
});
const apiUrl = system.apis[0]?.url ?? '';
const asRider = (userId: string) => system.http(userId, 'rider');
const operator = system.http('olga', 'operator');
const mongo = new MongoClient(system.mongoUrl);
t.teardown(() => mongo.close());
const collection = (name: string) => mongo.db(system.database).collection<{ _id: string }>(name);

const pins = { cancel: '4821', duress: '1284' };
const sister = { name: 'Asha', phone: '+12025550101', locale: 'en', channels: ['sms' as const] };

async function press(http: HttpClient): Promise<string> {
  const trigger = { alertId: uuidV7(Date.now()), triggeredAt: new Date().toISOString() };
  return (await http.raiseSos(trigger)).alertId;
}

t.test('every route has a typed call, but for those that no app asks', async (t) => {
  const { paths } = (await (await fetch(`${apiUrl}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const operations = Object.values(paths).flatMap((methods) =>
    Object.entries(methods).flatMap(([method, { operationId }]) => (method === 'head' ? [] : [operationId])),
  );
  const calls = new Set([...Object.keys(operator), ...Object.keys(createShareClient({ apiUrl }))]);

  const withoutCall = operations.filter((operation) => !calls.has(otherNames[operation] ?? operation));

  t.same(withoutCall.toSorted(), notOfApps.toSorted());
});

t.test('an alert of one’s own is cancelled by its PIN, and by no other', async (t) => {
  const rita = asRider('rita');
  const early = await press(asRider('rosa'));
  await t.rejects(asRider('rosa').cancelAlert(early, pins.cancel), { code: 'sos_pin_unset', status: 409 });
  t.match(await rita.getSafety(), { version: 0, hasPins: false, phone: null });
  await rita.putSafety({ pins });
  t.match(await rita.getSafety(), { version: 1, hasPins: true });
  await t.rejects(operator.getSafety(), { code: 'forbidden', status: 403 });
  const alertId = await press(rita);

  await t.rejects(rita.cancelAlert(alertId, '0000'), { code: 'sos_pin_refused', status: 403 });
  await t.rejects(asRider('rosa').cancelAlert(alertId, pins.cancel), { code: 'not_found', status: 404 });
  t.equal((await rita.getAlert(alertId)).state, 'open');

  t.match(await rita.cancelAlert(alertId, pins.cancel), { alertId, state: 'cancelled', closedAt: String });
  t.match(await operator.getAlert(alertId), { state: 'cancelled', closedBy: 'rita' });
});

t.test('under duress the answer is the same, and the alert goes on', async (t) => {
  const dev = system.http('dev', 'driver');
  await dev.putSafety({ pins });
  const alertId = await press(dev);

  t.match(await dev.cancelAlert(alertId, pins.duress), { alertId, state: 'cancelled', isDuress: undefined });
  t.match(await operator.getAlert(alertId), { state: 'open', isDuress: true });
});

t.test('a contact is verified by the code that they were sent, and removed', async (t) => {
  const maya = asRider('maya');
  await maya.putContact('sister', sister);
  t.match(await sendCode(), { channel: 'sms', sentTo: '••• 01' });
  await t.rejects(sendCode(), { code: 'code_limit', isRetryable: true, retryAfterMs: Number });

  const code = await readCode({ inboxUrl: inbox.url, phone: sister.phone, ...within });
  const wrong = code === '000000' ? '000001' : '000000';
  await t.rejects(maya.checkContactCode('sister', { channel: 'sms', code: wrong }), { code: 'code_invalid' });
  t.match(await maya.checkContactCode('sister', { channel: 'sms', code }), {
    contactId: 'sister',
    isPhoneVerified: true,
  });

  await maya.removeContact('sister');
  t.same((await maya.listContacts()).contacts, []);
  await t.rejects(sendCode(), { code: 'not_found', status: 404 });
  await t.rejects(operator.removeContact('sister'), { code: 'forbidden', status: 403 });

  function sendCode() {
    return maya.sendContactCode('sister', 'sms');
  }
});

t.test('an installation is registered for pushes, and forgotten', async (t) => {
  const lena = asRider('lena');
  const devices = () => collection('devices').countDocuments({ userId: 'lena' });
  const pushToken = `token-${randomBytes(12).toString('hex')}`;

  t.match(await lena.putDevice('phone', { platform: 'ios', pushToken, locale: 'hi' }), {
    deviceId: 'phone',
    platform: 'ios',
    seenAt: String,
  });
  t.equal(await devices(), 1);
  await t.rejects(lena.putDevice('phone', { platform: 'ios', pushToken: 'short' }), {
    code: 'request_invalid',
    errors: [{ path: 'body/pushToken' }],
  });

  await lena.removeDevice('phone');
  t.equal(await devices(), 0);
});

t.test('a person says what they want to be told, and that a message was seen', async (t) => {
  const tara = asRider('tara');
  const phone = '+12025550102';
  const before = await tara.getNotificationPreferences();
  t.match(before, { channelsOff: [], quietHours: null });
  const wanted = { ...before, timeZone: 'Asia/Kolkata', quietHours: { from: '22:00', to: '07:00' } };
  t.same(await tara.putNotificationPreferences(wanted), wanted);
  t.same(await tara.getNotificationPreferences(), wanted);
  await t.rejects(tara.putNotificationPreferences({ ...wanted, timeZone: 'Mars/Olympus' }), {
    code: 'request_invalid',
    status: 400,
  });

  await tara.putSafety({ phone });
  await tara.sendSafetyCode('sms');
  await readCode({ inboxUrl: inbox.url, phone, ...within });
  // Nothing of the product is pushed to a person by name yet, so the newest message of all is made hers.
  const newest = await collection('notifications').findOneAndUpdate(
    {},
    { $set: { personId: 'tara' } },
    { sort: { createdAt: -1 } },
  );
  const notificationId = newest?._id ?? '';
  await t.rejects(asRider('lena').seenNotification(notificationId), { code: 'not_found', status: 404 });
  await tara.seenNotification(notificationId);
  const alertId = await press(tara);
  await t.rejects(tara.seenAlert(alertId, `sos.${alertId}.0123456789ab.1-1`), { code: 'not_found', status: 404 });
  const isDelivered = () => collection('notifications').findOne({ _id: notificationId, state: 'delivered' });
  await waitFor(isDelivered, { ...within, what: 'the message to count as delivered' });
});

t.test('the holder of a link sees the alert without a login, until it ends', async (t) => {
  const nila = asRider('nila');
  await nila.putContact('friend', { ...sister, phone: '+12025550103' });
  await nila.putSafety({ pins });
  const alertId = await press(nila);
  const recordedAtMs = Date.now();
  await nila.postSosFixes(alertId, { run: 1, fixes: [{ seq: 1, recordedAtMs, lat: 41.15, lng: -8.61 }] });
  const contact = createShareClient({ apiUrl });
  const tokenOf = (contactId: string) => {
    const grant = { alertId, contactId, expiresAtMs: Date.now() + 3_600_000 };
    return trailLink({ pageUrl: '', fieldKey, ...grant }).slice(1);
  };

  const shown = await contact.getShare(tokenOf('friend'));
  t.match(shown, { state: 'open', points: [{ source: 'person', lat: 41.15, lng: -8.61 }] });
  const since = new Date(recordedAtMs).toISOString();
  t.same((await contact.getShare(tokenOf('friend'), { since })).points, []);
  await t.rejects(contact.getShare(tokenOf('stranger')), { code: 'link_expired', status: 410 });

  await nila.cancelAlert(alertId, pins.cancel);
  const isEnded = async () => (await contact.getShare(tokenOf('friend'))).state === 'ended';
  await waitFor(isEnded, { ...within, what: 'the end on the link' });
});

t.test('who signs out is signed out, on this device alone', async (t) => {
  const of = (sessionId: string) =>
    createHttpClient({ apiUrl, getToken: () => system.token('uma', 'rider', sessionId) });
  const [phone, tablet] = [of('phone'), of('tablet')];
  await phone.getSafety();

  await phone.signOut();

  // The api looks once a second.
  const refusal = await waitFor(
    () =>
      phone.getSafety().then(
        () => undefined,
        (error: unknown) => error,
      ),
    { ...within, what: 'the refusal' },
  );
  t.match(refusal, { code: 'token_revoked', status: 401 });
  await t.rejects(phone.signOut(), { code: 'token_revoked', status: 401 });
  t.match(await tablet.getSafety(), { hasPins: false });
});

/** What operators have under a name that says who asks. */
const otherNames: Readonly<Record<string, string>> = {
  exportAlertTrail: 'exportAlert',
  getTimeline: 'timelineOf',
  listContactsOfUser: 'listContactsOf',
  realtimeStats: 'getRealtimeStats',
};

/** Trips are followed by `watchTrip`; probes and the description are for machines; the rest is for operators, and nothing calls it yet. */
const notOfApps = [
  'streamTripEvents',
  'getHealth',
  'getLive',
  'getReady',
  'getOpenApi',
  'listNotifications',
  'redriveNotification',
  'providerScorecards',
  'putOnCallOverride',
  'removeOnCallOverride',
  'removePins',
];

/** The companies that carry codes, played by a process of their own, and what services need to reach them. */
async function startInbox() {
  const port = await freePort();
  await startService(t, {
    name: 'sandbox',
    main: fileURLToPath(new URL('../../../packages/providers/dist/sandbox/main.js', import.meta.url)),
    env: { HOST: '127.0.0.1', PORT: String(port), LOG_LEVEL: 'info' },
    ready: 'listening',
    readyWithinMs: 60_000,
  });
  const url = `http://127.0.0.1:${port}`;
  const environment = (await (await fetch(`${url}/sandbox/environment`)).json()) as Record<string, string>;
  return { url, environment };
}
