import type { ScorecardsReply } from '@hushryd/contracts/http/notifications';
import type { Problem } from '@hushryd/contracts/http/problem';
import type { Alert, SosReply } from '@hushryd/contracts/http/sos';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { freePort } from '@hushryd/platform/engines/ports';
import { ownMongo, ownRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import { MongoClient } from 'mongodb';
import t from 'tap';
import { press } from './sos-desk.ts';
import {
  asRider,
  contactBody,
  createCollections,
  environmentOf,
  newId,
  onCallBody,
  operator,
  startTestApi,
  type TestApi,
} from './test-api.ts';

// While MongoDB is away the node that took an alert sends it, escalates it and hears who takes care, and the database goes on from there.

const patient = { withinMs: 40_000 };
/** Somebody whom an alert was handed over to twice would have been written to by now: sweepers look each second. */
const sweepsMs = 3_500;
const escalatesAfterMs = 29_500;
const onCallPhone = '+15555550121';

const mongo = await ownMongo(t);
const client = new MongoClient(mongo.url);
t.teardown(() => client.close());
const db = client.db('direct');
await createCollections(db);
const alerts = db.collection<AlertDocument>('alerts');
const redis = await ownRedis(t);

const port = await freePort();
const webhookBaseUrl = `http://127.0.0.1:${port}/v1/webhooks`;
const sandbox = await startSandbox({ webhookBaseUrl, receiptDelayMs: 20 });
t.teardown(() => sandbox.close());
const environment = {
  ...environmentOf({ redis: { url: redis.url, prefix: 'direct:' }, mongo: { url: mongo.url, database: 'direct' } }),
  ...sandbox.environment,
  WEBHOOK_BASE_URL: webhookBaseUrl,
  MSG91_TEMPLATES: 'sos_alert.en=dlt-sos-alert-en,sos_resolved.en=dlt-sos-resolved-en',
  SOS_REPLAY_MS: '200',
  SOS_SWEEP_MS: '200',
  SOS_ESCALATE_EVERY_MS: '2000',
};
const api = await startTestApi(t, { ...environment, PORT: String(port) });
const other = await startTestApi(t, { ...environment, SOS_JOURNAL_DIR: `${environment.SOS_JOURNAL_DIR}-other` });
const rota = await api.call('PUT /v1/on-call', { as: operator, body: onCallBody(0) });
if (rota.status >= 300) throw new Error('the rota was refused');

let people = 0;

/** A rider with a contact who gets texts. */
async function newRider() {
  people += 1;
  const userId = newId('rider');
  const phone = `+1555${String(2_000_000 + people)}`;
  await api.call('PUT /v1/users/me/contacts/asha', { as: asRider(userId), body: { ...contactBody, phone } });
  // A copy of the list is in Redis from the first reading on.
  await api.call('GET /v1/users/me/contacts', { as: asRider(userId) });
  return { userId, phone };
}

const raise = (at: TestApi, userId: string, body = press()) =>
  at.call<SosReply & Problem>('POST /v1/sos', { as: asRider(userId), body });
const textsTo = (phone: string) => sandbox.messages.list({ recipient: phone, channel: 'sms' });
const callsToOnCall = (sinceSeq: number) =>
  sandbox.messages.list({ recipient: onCallPhone, channel: 'voice' }).filter(({ seq }) => seq > sinceSeq);
const lastSeq = () => sandbox.messages.list({}).reduce((last, { seq }) => Math.max(last, seq), 0);
const stored = (alertId: string) =>
  waitFor(async () => (await alerts.findOne({ _id: alertId })) ?? undefined, { ...patient, what: 'the alert' });
const handedOver = (alertId: string) =>
  waitFor(async () => (await alerts.findOne({ _id: alertId, version: { $gte: 2 } })) ?? undefined, {
    ...patient,
    what: 'what the node has done',
  });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

t.test('contacts are told, who is on call is called, and key 1 stops it, all without MongoDB', async (t) => {
  const { userId, phone } = await newRider();
  const seq = lastSeq();
  await mongo.faults.kill9();

  const { status, body } = await raise(api, userId);
  t.match([status, body.durability], [202, 'local']);
  await waitFor(() => textsTo(phone).length === 1, { ...patient, what: 'the text' });
  // What this node sends by itself, staff see at any other.
  await waitFor(
    async () => {
      const reply = await other.call<ScorecardsReply>('GET /v1/providers/scorecards', { as: operator });
      return reply.body.scorecards?.some(({ provider, accepted }) => provider === 'twilio-sms' && accepted > 0);
    },
    { ...patient, what: 'the scorecard of who carried it' },
  );
  // Where a busy machine did not read the contacts in 50 ms, somebody on call was called in their place at once.
  const isEscalation = ({ receivedAtMs }: { receivedAtMs: number }) =>
    receivedAtMs - Date.parse(body.acceptedAt) >= escalatesAfterMs;
  const call = await waitFor(() => callsToOnCall(seq).find(isEscalation), {
    ...patient,
    what: 'the call of the escalation',
  });
  await sandbox.phones.answer(call.id, '1');
  const seen = await waitFor(
    async () => {
      const reply = await api.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator });
      return reply.body.state === 'acknowledged' ? reply.body : undefined;
    },
    { ...patient, what: 'the acknowledgement' },
  );
  t.match(seen, { acknowledgedBy: 'dana', escalatesAt: null });
  const calls = callsToOnCall(seq).length;

  await mongo.faults.restart();
  const alert = await handedOver(body.alertId);
  t.match(alert, {
    state: 'acknowledged',
    acknowledgedBy: 'dana',
    acknowledgedAt: Date,
    escalation: { nextAt: null },
  });
  t.ok(alert.escalation.level >= 1, 'it goes on from where the node was');
  await waitFor(
    async () =>
      (await alerts.findOne({ _id: body.alertId }))?.outbox.some(
        ({ entryId, state }) => entryId === 'contact-asha-sms' && state === 'DELIVERED',
      ),
    { ...patient, what: 'the receipt' },
  );
  await pause(sweepsMs);
  t.equal(textsTo(phone).length, 1, 'told once');
  t.equal(callsToOnCall(seq).length, calls, 'nobody is called any more');
  const timeline = await waitFor(
    async () => {
      const reply = await api.call<{ facts: { kind: string }[] }>(`GET /v1/sos/${body.alertId}/timeline`, {
        as: operator,
      });
      return reply.status === 200 ? reply.body.facts.map(({ kind }) => kind) : undefined;
    },
    { ...patient, what: 'the timeline' },
  );
  for (const kind of ['raised', 'attempt', 'receipt', 'escalated', 'acknowledged']) t.ok(timeline.includes(kind), kind);
});

t.test('whoever acknowledges at another node is heard, and the database has it in the end', async (t) => {
  const { userId, phone } = await newRider();
  await mongo.faults.kill9();
  const { body } = await raise(api, userId);
  await waitFor(() => textsTo(phone).length === 1, { ...patient, what: 'the text' });
  const seq = lastSeq();

  const taken = await other.call<SosReply>(`POST /v1/sos/${body.alertId}/acknowledge`, { as: operator, body: {} });
  t.match(taken, { status: 202, body: { alertId: body.alertId, durability: 'local', state: 'acknowledged' } });
  await waitFor(
    async () => (await api.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator })).body.state === 'acknowledged',
    { ...patient, what: 'the sending node, before it calls anybody' },
  );
  t.same(callsToOnCall(seq), []);

  await mongo.faults.restart();
  t.match(await handedOver(body.alertId), { state: 'acknowledged', acknowledgedBy: operator.userId });
  await pause(sweepsMs);
  t.equal(textsTo(phone).length, 1, 'told once');
});

t.test('the key counts also where it is heard by a node that knows nothing of the alert', async (t) => {
  // Nobody knows contacts of theirs, so who is on call is called in their place at once.
  const userId = newId('rider');
  const seq = lastSeq();
  await mongo.faults.kill9();
  const { body } = await raise(other, userId);
  const call = await waitFor(() => callsToOnCall(seq)[0], { ...patient, what: 'the call' });
  await sandbox.phones.answer(call.id, '1');
  await waitFor(
    async () =>
      (await other.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator })).body.state === 'acknowledged',
    { ...patient, what: 'the node that made the call' },
  );

  await mongo.faults.restart();
  t.match(await handedOver(body.alertId), { state: 'acknowledged' });
});

t.test(
  'with MongoDB hung people are told too, and what it was sent before it hung makes no second alert',
  async (t) => {
    const { userId, phone } = await newRider();
    mongo.faults.pause();
    const { status, body } = await raise(api, userId);
    t.match([status, body.durability], [202, 'local']);
    await waitFor(() => textsTo(phone).length === 1, { ...patient, what: 'the text' });
    mongo.faults.resume();
    await handedOver(body.alertId);
    await pause(sweepsMs);
    t.equal(await alerts.countDocuments({ 'person.userId': userId }), 1);
    // A write that was thought lost may have landed, and been claimed: the one duplicate that is allowed.
    t.ok(textsTo(phone).length <= 2, `${textsTo(phone).length} texts`);
  },
);

t.test('an acknowledgement of an alert that only the database has waits for it', async (t) => {
  const { userId } = await newRider();
  const { status, body } = await raise(api, userId);
  t.equal(status, 201);
  await mongo.faults.kill9();
  const taken = await other.call(`POST /v1/sos/${body.alertId}/acknowledge`, { as: operator, body: {} });
  t.equal(taken.status, 202);

  await mongo.faults.restart();
  await waitFor(async () => (await alerts.findOne({ _id: body.alertId }))?.acknowledgedBy === operator.userId, {
    ...patient,
    what: 'the acknowledgement in the database',
  });
});

t.test('a node that starts again goes on where it stopped', async (t) => {
  const { userId, phone } = await newRider();
  const own = { ...environment, SOS_JOURNAL_DIR: `${environment.SOS_JOURNAL_DIR}-again` };
  const first = await startTestApi(t, own);
  await mongo.faults.kill9();
  const { body } = await raise(first, userId);
  await waitFor(() => textsTo(phone).length === 1, { ...patient, what: 'the text' });
  await first.close();

  const second = await startTestApi(t, own);
  await waitFor(
    async () => (await second.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator })).status === 200,
    { ...patient, what: 'the alert in the new process' },
  );
  await pause(sweepsMs);
  t.equal(textsTo(phone).length, 1, 'what was told is in the journal');
  await mongo.faults.restart();
  await handedOver(body.alertId);
  await pause(sweepsMs);
  t.equal(textsTo(phone).length, 1);
});

t.test('where nothing holds it people are told all the same, and nobody hears that it stands', async (t) => {
  const { userId, phone } = await newRider();
  const homeless = await startTestApi(t, {
    ...environment,
    SOS_JOURNAL_DIR: `${environment.SOS_JOURNAL_DIR}-full`,
    SOS_JOURNAL_MAX_BYTES: '65536',
  });
  const unpersisted = async () =>
    Number(/^sos_unpersisted_notify\{.*\} (\d+)$/m.exec(await (await fetch(homeless.metricsUrl)).text())?.[1]);
  t.equal(await unpersisted(), 0);
  await mongo.faults.kill9();
  const note = 'a'.repeat(500);
  let refused = 0;
  while (refused === 0) {
    const some = await Promise.all(Array.from({ length: 10 }, () => raise(homeless, newId('rider'), press({ note }))));
    refused = some.filter((one) => one.status === 503).length;
  }
  const body = press({ note });
  const { status, body: problem } = await raise(homeless, userId, body);
  t.match([status, problem.code], [503, 'sos_not_persisted']);
  await waitFor(() => textsTo(phone).length === 1, { ...patient, what: 'the text' });
  await waitFor(async () => (await unpersisted()) >= refused + 1, { ...patient, what: 'each of them counted' });
  t.equal((await raise(homeless, userId, body)).status, 503, 'again');

  await mongo.faults.restart();
  t.match(await stored(body.alertId), { person: { userId } }, 'the node brings it by itself');
  await pause(sweepsMs);
  t.equal(textsTo(phone).length, 1, 'told once');
});

t.test('with both stores away who is on call is called first, and the incident is opened', async (t) => {
  const { userId, phone } = await newRider();
  const seq = lastSeq();
  await mongo.faults.kill9();
  await redis.faults.kill9();

  const { status, body } = await raise(api, userId);
  t.match([status, body.durability], [202, 'local']);
  await waitFor(() => callsToOnCall(seq).length > 0, { ...patient, what: 'the call' });
  await waitFor(() => sandbox.messages.list({ channel: 'incident' }).some(({ seq: one }) => one > seq), {
    ...patient,
    what: 'the incident',
  });
  t.same(textsTo(phone), [], 'nobody knows the contacts');

  await redis.faults.restart();
  await mongo.faults.restart();
  await waitFor(() => textsTo(phone).length > 0, { ...patient, what: 'the text' });
  t.match(await stored(body.alertId), { person: { userId } });
  await pause(sweepsMs);
  t.equal(textsTo(phone).length, 1, 'told once');
});
