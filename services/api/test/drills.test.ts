import type { Alert, ListAlertsReply, SosReply } from '@hushryd/contracts/http/sos';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { createDrillStore } from '@hushryd/outreach/drills/drill-store';
import { createTendDrills } from '@hushryd/outreach/drills/tend-drills';
import { freePort } from '@hushryd/platform/engines/ports';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import t from 'tap';
import { press, startDesk, uuidV7 } from './sos-desk.ts';
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
const alerts = mongo.db.collection<AlertDocument>('alerts');
const port = await freePort();
const sandbox = await startSandbox({ webhookBaseUrl: `http://127.0.0.1:${port}/v1/webhooks`, receiptDelayMs: 20 });
t.teardown(() => sandbox.close());
const canaryPhone = '+15555550177';
const environment = {
  ...environmentOf({ redis, mongo }),
  ...sandbox.environment,
  WEBHOOK_BASE_URL: `http://127.0.0.1:${port}/v1/webhooks`,
  PORT: String(port),
  SOS_SWEEP_MS: '100',
  PROVIDER_DEADLINE_MS: '400',
  // No company but Twilio can carry a text here.
  SOS_CANARY_TO: canaryPhone,
  SOS_CANARY_EVERY_MS: '3000',
  SOS_CANARY_WITHIN_MS: '3000',
};
const api = await startTestApi(t, environment);
const desk = await startDesk(t, redis);
const drillStore = createDrillStore({ db: mongo.db, deadlineMs: 5_000 });
const patient = { withinMs: 20_000 };

const textsTo = (phone: string) => sandbox.messages.list({ recipient: phone }).map(({ content }) => content.text ?? '');
const drill = (as: ReturnType<typeof asRider>, alertId = uuidV7()) =>
  api.call<SosReply>('POST /v1/sos/drill', { as, body: { alertId } });
const find = async (alertId: string) => (await alerts.findOne({ _id: alertId })) as AlertDocument;
const list = async (query = '') =>
  (await api.call<ListAlertsReply>(`GET /v1/sos${query}`, { as: operator })).body.alerts.map(({ alertId }) => alertId);

t.test('a drill tells the contacts that it is one, pages nobody, and stands in no way of a real alert', async (t) => {
  const rider = asRider(newId('rider'));
  const phones = { asha: '+15555550171', vikram: '+15555550172' };
  for (const [contactId, phone] of Object.entries(phones)) {
    const body = { ...contactBody, phone, locale: contactId === 'asha' ? 'en' : 'hi-IN' };
    await api.call(`PUT /v1/users/me/contacts/${contactId}`, { as: rider, body });
  }
  await api.call('PUT /v1/on-call', { as: operator, body: onCallBody(0) });

  const raised = await drill(rider);
  t.match(raised, { status: 201, body: { durability: 'majority', state: 'open' } });
  const { alertId } = raised.body;
  const shown = await waitFor(
    async () => {
      const { body } = await api.call<Alert>(`GET /v1/sos/${alertId}`, { as: rider });
      const isThere = body.outbox?.every(({ state, channel }) => state === 'DELIVERED' || channel === 'desk');
      return isThere ? body : undefined;
    },
    { ...patient, what: 'receipts of both contacts' },
  );
  t.match(shown, { userId: rider.userId, isDrill: true });
  t.same(shown.outbox?.map(({ recipient, channel, state }) => [recipient, channel, state]).sort(), [
    ['contact', 'sms', 'DELIVERED'],
    ['contact', 'sms', 'DELIVERED'],
    ['operators', 'desk', 'ACCEPTED'],
  ]);
  t.match(textsTo(phones.asha), [/^EXERCISE, no emergency/]);
  t.match(textsTo(phones.vikram), [/^अभ्यास/]);
  t.equal((await desk.heard('admin:sos', alertId)).name as string, 'sos.drill');
  t.equal((await find(alertId)).escalation.nextAt, null, 'nobody will be called');

  const real = await api.call<SosReply>('POST /v1/sos', { as: rider, body: press() });
  t.match(real, { status: 201, body: { joined: undefined } });
  t.match(await find(real.body.alertId), { person: { userId: rider.userId }, isDrill: undefined, pressCount: 1 });
  t.type((await find(real.body.alertId)).escalation.nextAt, Date);
  t.match(await drill(rider), { status: 201, body: { joined: undefined } }, 'nor does a real one stop a drill');

  t.notOk((await list()).includes(alertId));
  t.ok((await list()).includes(real.body.alertId));
  t.ok((await list('?drills=included')).includes(alertId));
  t.notOk((await list('?drills=only')).includes(real.body.alertId));
  for (const path of ['acknowledge', 'resolve']) {
    const body = path === 'resolve' ? { reason: 'a drill' } : {};
    const refused = await api.call(`POST /v1/sos/${alertId}/${path}`, { as: operator, body });
    t.match(refused, { status: 409, body: { code: 'sos_state_conflict' } }, `${path}, which would tell the incident`);
  }

  await createTendDrills({
    drills: drillStore,
    log: createLogger({ service: 'test', instanceId: 't', level: 'silent' }),
  })();
  t.match(await find(alertId), { open: false, state: 'resolved' }, 'it ends by itself');
  const realTexts = () => textsTo(phones.asha).filter((text) => !/EXERCISE/.test(text));
  await waitFor(() => realTexts().length > 0, { ...patient, what: 'the text of the real one' });
  t.equal(realTexts().length, 1, 'and nothing of an end');
  t.same(sandbox.messages.list({ recipient: onCallBody(0).people[0]?.phone ?? '' }), []);
  t.match(await find(real.body.alertId), { open: true }, 'which only people end');
});

t.test('a few drills an hour; the same one again is no other', async (t) => {
  const rider = asRider(newId('rider'));
  const first = await drill(rider);
  for (let again = 0; again < 4; again += 1)
    t.same(await drill(rider, first.body.alertId).then(({ body }) => body), first.body);
  await drill(rider);
  await drill(rider);
  t.match(await drill(rider), { status: 429, body: { code: 'drill_limit' } });
  t.equal(await alerts.countDocuments({ 'person.userId': new RegExp(`^drill:${rider.userId}:`) }), 3);
});

t.test('the canary goes the whole way again and again; what hangs is counted by how far it got', async (t) => {
  const metric = async (line: RegExp) => {
    const text = await (await fetch(api.metricsUrl)).text();
    return Number(line.exec(text)?.[1] ?? Number.NaN);
  };
  const reached = (stage: string) =>
    metric(new RegExp(`^sos_canary_seconds_count\\{.*stage="${stage}".*\\} (\\d+)`, 'm'));
  const failed = (stage: string) =>
    metric(new RegExp(`^sos_canary_failures_total\\{.*stage="${stage}".*\\} (\\d+)`, 'm'));

  await waitFor(async () => (await reached('ended')) >= 1, { ...patient, what: 'a canary that got through' });
  t.match(textsTo(canaryPhone), [/^EXERCISE/]);
  t.equal(await failed('accepted'), 0);
  const passed = await alerts.findOne({ closedBy: 'sos-canary', state: 'resolved' });
  t.match(passed, { isDrill: true, open: false });
  t.ok((await drillStore.sinceCanaryMs()) !== undefined);

  sandbox.faults.set({ provider: 'twilio-sms', mode: 'hang' });
  await waitFor(async () => (await failed('accepted')) >= 1, { ...patient, what: 'a canary whose company hangs' });
  const reachedThen = await reached('ended');
  await waitFor(async () => (await failed('accepted')) >= 2, { ...patient, what: 'another one' });
  t.equal(await reached('ended'), reachedThen, 'none got through meanwhile');
});

t.test('old drills are removed with all that is written of them', async (t) => {
  const [gone, kept] = await Promise.all(
    [asRider(newId('rider')), asRider(newId('rider'))].map(async (rider) => (await drill(rider)).body.alertId),
  );
  if (gone === undefined || kept === undefined) throw new Error('no drills');
  for (const alertId of [gone, kept]) await drillStore.end({ alertId, state: 'cancelled', by: 'test' });
  const timeline = mongo.db.collection<{ _id: string; alertId: string }>('alert_timeline');
  await timeline.insertMany([gone, kept].map((alertId) => ({ _id: `${alertId}:raised`, alertId })));
  await alerts.updateOne(
    { _id: gone },
    { $set: { forgetAt: new Date(Date.now() - 60_000), hasFacts: false, hasWork: false } },
  );
  await alerts.updateOne({ _id: kept }, { $set: { hasFacts: false, hasWork: false } });

  t.equal(await drillStore.removeOld(10), 1);

  t.equal(await alerts.findOne({ _id: gone }), null);
  // The api seals facts of its own beside these, when it comes to it.
  t.equal(await timeline.countDocuments({ alertId: gone }), 0);
  t.ok((await timeline.countDocuments({ alertId: kept })) > 0);
  t.ok(await find(kept));
});
