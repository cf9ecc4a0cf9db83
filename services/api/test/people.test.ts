import type { Contact, ContactsReply, MaskedContactsReply } from '@hushryd/contracts/http/contacts';
import type { OnCallReply } from '@hushryd/contracts/http/on-call';
import type { Problem } from '@hushryd/contracts/http/problem';
import type { SafetyReply } from '@hushryd/contracts/http/safety';
import type { SendCodeReply } from '@hushryd/contracts/person';
import type { OtpMessage } from '@hushryd/outreach/people/codes/send-otp';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { listKeys } from '@hushryd/platform/testing/redis-variables';
import type { Redis } from 'ioredis';
import t from 'tap';
import { readConfig } from '../src/config.ts';
import {
  asRider,
  contactBody,
  createCollections,
  environmentOf,
  newId,
  onCallBody,
  operator,
  startTestApi,
} from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const environment = { ...environmentOf({ redis, mongo }), LOG_LEVEL: 'trace' };
const logLines: string[] = [];
const sent: OtpMessage[] = [];
const api = await startTestApi(t, environment, {
  onLogLine: (line) => logLines.push(line),
  sendOtp: async (message) => void sent.push(message),
});
const other = await startTestApi(t, { ...environment, LOG_LEVEL: 'silent' });

t.test('the owner sees a contact whole, staff without its number, and each reading is written down', async (t) => {
  const rider = asRider(newId('rider'));
  const body = { ...contactBody, email: 'asha@example.com', relation: 'sister' };
  const put = await api.call<Contact>('PUT /v1/users/me/contacts/sister', { as: rider, body });
  t.equal(put.status, 201);
  t.equal((await other.call('PUT /v1/users/me/contacts/sister', { as: rider, body })).status, 200);

  const own = await other.call<ContactsReply>('GET /v1/users/me/contacts', { as: rider });
  t.match(own.body, { version: 1, contacts: [{ contactId: 'sister', ...body, isPhoneVerified: false }] });
  t.equal(own.headers.get('cache-control'), 'no-store');
  const route = `GET /v1/users/${rider.userId}/contacts`;
  const { body: seen } = await api.call<MaskedContactsReply>(route, { as: operator });
  t.match(seen, { contacts: [{ name: 'Asha', phone: '••• 01', email: 'a•••@example.com', relation: 'sister' }] });
  const audited = logLines.map((line) => JSON.parse(line) as object).find((line) => 'action' in line);
  t.match(audited, { action: 'read_contacts', targetUserId: rider.userId, userId: operator.userId });

  t.equal((await api.call('DELETE /v1/users/me/contacts/sister', { as: rider })).status, 204);
  t.match((await other.call('GET /v1/users/me/contacts', { as: rider })).body, { version: 2, contacts: [] });
});

t.test('odd requests are refused by their fields', async (t) => {
  const rider = asRider(newId('rider'));
  const put = (over: object) =>
    api.call<Problem>('PUT /v1/users/me/contacts/c', { as: rider, body: { ...contactBody, ...over } });
  const odd: object[] = [
    { phone: '5555550101' },
    { phone: { $ne: null } },
    { email: 'nobody' },
    { name: 'two\nlines' },
    { channels: [] },
    { channels: ['sms', 'sms'] },
    { channels: ['pigeon'] },
    { locale: 'english' },
    { isPhoneVerified: true },
    { channels: ['email'] },
  ];
  for (const over of odd)
    t.match((await put(over)).body, { status: 400, code: 'request_invalid' }, JSON.stringify(over));
  for (let n = 1; n <= 8; n += 1) await api.call(`PUT /v1/users/me/contacts/c${n}`, { as: rider, body: contactBody });
  t.match((await put({})).body, { status: 409, code: 'contact_limit' });
});

t.test('a contact is verified by the code that it was sent', async (t) => {
  const rider = asRider(newId('rider'));
  await api.call('PUT /v1/users/me/contacts/c', { as: rider, body: { ...contactBody, phone: '+15555550177' } });
  const route = 'POST /v1/users/me/contacts/c/codes';
  const asked = await api.call<SendCodeReply>(route, { as: rider, body: { channel: 'sms' } });
  t.equal(asked.status, 202);
  t.match(asked.body, { channel: 'sms', sentTo: '••• 77' });
  const message = sent.at(-1);
  t.match(message, { channel: 'sms', to: '+15555550177', locale: 'en', invitation: { from: undefined } });

  const again = await api.call<Problem>(route, { as: rider, body: { channel: 'sms' } });
  t.match(again.body, { status: 429, code: 'code_limit' });
  t.ok(Number(again.headers.get('retry-after')) > 0);
  const noEmail = await api.call<Problem>(route, { as: rider, body: { channel: 'email' } });
  t.match(noEmail.body, { status: 400, code: 'request_invalid' });

  const check = (code: string) =>
    other.call<Contact & Problem>(`${route}/check`, { as: rider, body: { channel: 'sms', code } });
  const wrong = message?.code === '000000' ? '000001' : '000000';
  t.match((await check(wrong)).body, { status: 422, code: 'code_invalid' });
  t.match((await check(message?.code ?? '')).body, { contactId: 'c', isPhoneVerified: true });
  t.match((await check(message?.code ?? '')).body, { status: 410, code: 'code_expired' }, 'used');

  const own = '+15555550178';
  await api.call('PUT /v1/users/me/safety', { as: rider, body: { phone: own } });
  await api.call('POST /v1/users/me/safety/codes', { as: rider, body: { channel: 'sms' } });
  t.equal(sent.at(-1)?.invitation, undefined, 'a code to oneself invites nobody');
  const proof = { channel: 'sms', code: sent.at(-1)?.code };
  await api.call('POST /v1/users/me/safety/codes/check', { as: rider, body: proof });
  await api.call('PUT /v1/users/me/contacts/d', { as: rider, body: { ...contactBody, phone: '+15555550179' } });
  await api.call('POST /v1/users/me/contacts/d/codes', { as: rider, body: { channel: 'sms' } });
  t.match(sent.at(-1), { to: '+15555550179', invitation: { from: own } }, 'who asks is named by their verified number');

  const unsent = await other.call<Problem>(route, { as: asRider(newId('rider')), body: { channel: 'sms' } });
  t.match(unsent.body, { status: 404 });
});

t.test('PINs are set, locked by guesses on two nodes, and taken away by staff', async (t) => {
  const rider = asRider(newId('rider'));
  const put = (node: typeof api, pins: object) =>
    node.call<SafetyReply & Problem>('PUT /v1/users/me/safety', { as: rider, body: { pins } });
  t.match((await put(api, { cancel: '1234', duress: '4321' })).body, { hasPins: true, locale: 'en', version: 1 });
  t.match((await put(api, { cancel: '1111', duress: '1111' })).body, { status: 422, code: 'pins_equal' });
  const next = { cancel: '2222', duress: '3333' };
  for (let n = 0; n < 5; n += 1) {
    const wrong = await put(n % 2 ? api : other, { ...next, current: `999${n}` });
    t.match(wrong.body, { status: 403, code: 'pin_invalid' });
  }
  t.match((await put(other, { ...next, current: '1234' })).body, { status: 423, code: 'pin_locked' });
  t.equal((await api.call(`DELETE /v1/users/${rider.userId}/safety/pins`, { as: operator })).status, 204);
  t.match((await put(other, next)).body, { hasPins: true });
});

t.test('the rota: replaced by version, overridden, shown without numbers', async (t) => {
  const call = (node: typeof api, route: string, body?: unknown) =>
    node.call<OnCallReply & Problem>(route, { as: operator, ...(body !== undefined && { body }) });
  t.match((await call(api, 'GET /v1/on-call')).body, { version: 0, levels: [], onCall: [] });
  const put = await call(api, 'PUT /v1/on-call', onCallBody(0));
  t.match(put.body, { version: 1, people: [{ name: 'Dana', phone: '••• 21' }] });
  t.match(put.body.onCall, [{ level: 0, personIds: ['dana'] }]);
  t.match((await call(other, 'PUT /v1/on-call', onCallBody(0))).body, { status: 409, code: 'version_conflict' });

  const wish = { level: 0, personIds: ['dana'], from: '2026-03-01T08:00:00.000Z', until: '2126-03-02T08:00:00.000Z' };
  t.match((await call(other, 'PUT /v1/on-call/overrides/o', wish)).body, {
    version: 2,
    overrides: [{ overrideId: 'o' }],
  });
  const at = await call(api, 'GET /v1/on-call?at=2026-03-01T09:00:00Z');
  t.match(at.body, { at: '2026-03-01T09:00:00.000Z', onCall: [{ level: 0, personIds: ['dana'] }] });
  t.match((await call(other, 'DELETE /v1/on-call/overrides/o')).body, { version: 3, overrides: [] });
});

t.test('without keys no api starts, and the sentence names what is missing', async (t) => {
  for (const name of ['FIELD_KEYS', 'FIELD_KEY_CURRENT', 'BLIND_INDEX_KEY']) {
    const env = { ...environment, NODE_ENV: 'production', [name]: '' };
    t.throws(() => readConfig(env), { name: 'ConfigError', message: new RegExp(`^${name} is missing: set it to `) });
  }
});

t.test('canary: what is private is in no log line, no metric, no key or value of Redis, and no document', async (t) => {
  const canaries = {
    phone: '+15558675309',
    ownPhone: '+15558675310',
    onCallPhone: '+15558675311',
    name: 'Zebulon Quixotic',
    email: 'zebulon.quixotic@example.com',
    relation: 'stepgrandmother',
    pushToken: 'pushtokenofthecanary0123456789',
    cancel: '80715263',
    duress: '36251708',
  };
  const rider = asRider(newId('rider'));
  const { phone, name, email, relation } = canaries;
  const contact = { ...contactBody, phone, name, email, relation };
  const from = logLines.length;
  const steps: [string, { role: 'rider' | 'operator'; userId: string }, unknown?][] = [
    ['PUT /v1/users/me/contacts/canary', rider, contact],
    ['POST /v1/users/me/contacts/canary/codes', rider, { channel: 'voice' }],
    ['POST /v1/users/me/contacts/canary/codes/check', rider, { channel: 'voice', code: '000000' }],
    [
      'PUT /v1/users/me/safety',
      rider,
      { phone: canaries.ownPhone, pins: { cancel: canaries.cancel, duress: canaries.duress } },
    ],
    ['POST /v1/users/me/safety/codes', rider, { channel: 'sms' }],
    ['PUT /v1/devices/canary', rider, { platform: 'ios', pushToken: canaries.pushToken }],
    [
      'PUT /v1/on-call',
      operator,
      { ...onCallBody(3), people: [{ ...onCallBody(3).people[0], phone: canaries.onCallPhone, name, email }] },
    ],
    [`GET /v1/users/${rider.userId}/contacts`, operator],
    ['PUT /v1/users/me/contacts/canary', rider, { ...contact, channels: [phone] }],
    [`GET /v1/users/me/contacts/${encodeURIComponent(email)}`, rider],
  ];
  for (const [route, as, body] of steps) {
    const { status } = await api.call(route, { as, ...(body !== undefined && { body }) });
    t.ok(status < 500, route);
  }
  const codes = sent.slice(-2).map(({ code }) => code);
  t.ok(sent.slice(-2).every(({ to }) => to.startsWith('+1555867')));

  const places = {
    logs: logLines.slice(from).join('\n'),
    metrics: await (await fetch(api.metricsUrl)).text(),
    redis: await dumpRedis(),
    mongodb: await dumpMongo(),
  };
  t.ok(places.logs.length > 0 && places.redis.includes(rider.userId) && places.mongodb.includes(rider.userId));
  const needles = [...Object.values(canaries).map((text) => text.replace('+', '')), 'Zebulon'];
  for (const [place, text] of Object.entries(places)) {
    for (const needle of needles) t.notOk(text.toLowerCase().includes(needle.toLowerCase()), `${needle} in ${place}`);
    for (const code of codes)
      t.notMatch(text, new RegExp(`(?<![0-9A-Za-z_.-])${code}(?![0-9A-Za-z_.-])`), `${code} in ${place}`);
  }
  const planted = `${places.mongodb}${JSON.stringify({ note: email })}`;
  t.ok(
    needles.some((needle) => planted.includes(needle)),
    'control: one that was planted is found',
  );
});

async function dumpRedis(): Promise<string> {
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const connections = await connectRedis({ settings: redis.settings(), role: 'live', log });
  const client = connections.commands;
  try {
    const keys = await listKeys(client, redis.prefix);
    const dumps = await Promise.all(keys.map((key) => readAny(client as Redis, key)));
    return keys.map((key, index) => `${key} ${dumps[index]}`).join('\n');
  } finally {
    await connections.close();
  }
}

async function readAny(client: Redis, key: string): Promise<string> {
  const type = await client.type(key);
  if (type === 'hash') return JSON.stringify(await client.hgetall(key));
  if (type === 'string') return String(await client.get(key));
  if (type === 'stream') return JSON.stringify(await client.xrange(key, '-', '+'));
  if (type === 'zset') return JSON.stringify(await client.zrange(key, '0', '-1'));
  return type;
}

async function dumpMongo(): Promise<string> {
  const collections = await mongo.db.listCollections({}, { nameOnly: true }).toArray();
  const documents = await Promise.all(collections.map(({ name }) => mongo.db.collection(name).find().toArray()));
  return collections.map(({ name }, index) => `${name} ${JSON.stringify(documents[index])}`).join('\n');
}

/** Under a key that is in nobody's ring. */
const lostText = `gone.${'x'.repeat(60)}`;

t.test(
  'a contact that cannot be decrypted is marked, hides none of the others, and is repaired when put again',
  async (t) => {
    const rider = asRider(newId('rider'));
    const contact = 'PUT /v1/users/me/contacts';
    await api.call(`${contact}/lost`, { as: rider, body: contactBody });
    await api.call(`${contact}/whole`, { as: rider, body: { ...contactBody, phone: '+15555550102' } });
    await mongo.db
      .collection<{ _id: string }>('emergency_contacts')
      .updateOne({ _id: rider.userId }, { $set: { 'contacts.0.phone': lostText } });

    const list = async () =>
      (await other.call<ContactsReply>('GET /v1/users/me/contacts', { as: rider })).body.contacts;
    const seen = await list();
    t.match(seen, [{ contactId: 'lost', name: 'Asha', isUnreadable: true }, { phone: '+15555550102' }]);
    t.same(
      seen.map(({ phone }) => phone),
      [undefined, '+15555550102'],
    );
    t.notOk(seen[1]?.isUnreadable);
    const staff = await api.call<MaskedContactsReply>(`GET /v1/users/${rider.userId}/contacts`, { as: operator });
    t.match(staff.body.contacts, [{ contactId: 'lost', isUnreadable: true }, { phone: '••• 02' }]);
    t.ok(logLines.some((line) => line.includes(rider.userId) && line.includes('not readable')));
    const codes = await api.call(`POST /v1/users/me/contacts/whole/codes`, { as: rider, body: { channel: 'sms' } });
    t.equal(codes.status, 202, 'the others work as before');

    t.equal((await api.call(`${contact}/lost`, { as: rider, body: contactBody })).status, 200);
    const [repaired] = await list();
    t.match(repaired, { contactId: 'lost', phone: contactBody.phone, isPhoneVerified: false });
    t.notOk(repaired?.isUnreadable);
  },
);

t.test('somebody on the rota who cannot be decrypted is marked, and repaired by a new phone', async (t) => {
  const call = (route: string, body?: unknown) =>
    api.call<OnCallReply & Problem>(route, { as: operator, ...(body !== undefined && { body }) });
  const { version } = (await call('GET /v1/on-call')).body;
  const body = onCallBody(version);
  const dana = { personId: 'dana', name: 'Dana', phone: '+15555550121', locale: 'en', channels: ['voice'] };
  const eli = { ...dana, personId: 'eli', name: 'Eli', phone: '+15555550122' };
  await call('PUT /v1/on-call', { ...body, people: [dana, eli] });
  await mongo.db
    .collection<{ _id: string }>('on_call')
    .updateOne({ _id: 'rota' }, { $set: { 'people.0.phone': lostText } });

  const seen = await call('GET /v1/on-call');
  t.match(seen.body.people, [
    { personId: 'dana', name: 'Dana', isUnreadable: true },
    { name: 'Eli', phone: '••• 22' },
  ]);
  t.notOk(seen.body.people[0]?.phone ?? seen.body.people[1]?.isUnreadable);
  t.match(seen.body.onCall, [{ personIds: ['dana'] }]);

  const withoutPhone = ({ phone: _phone, ...person }: typeof dana) => person;
  const kept = { ...body, version: version + 1, people: [dana, eli].map(withoutPhone) };
  t.match((await call('PUT /v1/on-call', kept)).body, {
    code: 'request_invalid',
    detail: /dana.*send the phone again/,
  });
  const repair = { ...kept, people: [{ ...dana, phone: '+15555550123' }, withoutPhone(eli)] };
  const { people } = (await call('PUT /v1/on-call', repair)).body;
  t.match(people, [{ phone: '••• 23' }, { phone: '••• 22' }]);
  t.notOk(people.some(({ isUnreadable }) => isUnreadable));
});
