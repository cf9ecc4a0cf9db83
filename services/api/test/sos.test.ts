import type { Problem } from '@hushryd/contracts/http/problem';
import type { Alert, ListAlertsReply, SosReply } from '@hushryd/contracts/http/sos';
import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { press, startDesk } from './sos-desk.ts';
import {
  asDriver,
  asRider,
  type Call,
  contactBody,
  createCollections,
  environmentOf,
  expiredTokenOf,
  newId,
  operator,
  serviceToken,
  startTestApi,
} from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const api = await startTestApi(t, environmentOf({ redis, mongo }));
const desk = await startDesk(t, redis);
const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const colleague = { role: 'operator', userId: 'oskar' } as const;

const raise = (as: Call['as'], changes: Record<string, unknown> = {}) =>
  api.call<SosReply>('POST /v1/sos', { as, body: press(changes) });

t.test('an alert is stored by a majority before it is answered, and then told to the operators', async (t) => {
  const rider = asRider(newId('rider'));
  const body = press({
    location: { lat: 41.15, lng: -8.61, accuracyMeters: 12, recordedAt: new Date().toISOString() },
    batteryPercent: 17,
    device: { platform: 'android', model: 'P 9' },
    tripId: 'trip-1',
    note: 'red car, $left door',
  });

  const reply = await api.call<SosReply>('POST /v1/sos', { as: rider, body });

  t.equal(reply.status, 201);
  t.match(reply.body, { alertId: body.alertId, durability: 'majority', state: 'open', joined: undefined });
  t.equal(reply.headers.get('location'), `/v1/sos/${body.alertId}`);
  const stored = await mongo.db.collection<{ _id: string }>('alerts').findOne({ _id: body.alertId });
  t.match(stored, {
    open: true,
    person: { userId: rider.userId, role: 'rider' },
    triggerIds: [body.alertId],
    escalation: { level: 0 },
    // This person has no contacts.
    outbox: [{ channel: 'desk', state: 'PENDING', fence: 0 }, { channel: 'incident' }],
    version: 1,
  });
  const { receivedAt, escalation } = stored as unknown as { receivedAt: Date; escalation: { nextAt: Date } };
  t.equal(escalation.nextAt.getTime() - receivedAt.getTime(), 30_000);

  const event = await desk.heard('admin:sos', body.alertId);
  t.match(event, {
    name: 'sos.raised',
    version: 1,
    state: 'open',
    userId: rider.userId,
    role: 'rider',
    tripId: 'trip-1',
    lat: 41.15,
    lng: -8.61,
    mapUrl: 'https://www.openstreetmap.org/?mlat=41.15&mlon=-8.61#map=17/41.15/-8.61',
    priority: 'critical',
    sound: true,
  });
  const told = await desk.heard(`sos:${body.alertId}`, body.alertId);
  t.same([told.userId, told.lat, told.sound], [undefined, undefined, undefined], 'others hear only that it stands');

  const seen = await api.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator });
  t.match(seen.body, { note: body.note, device: body.device, batteryPercent: 17, escalationLevel: 0 });
  const own = await api.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: rider });
  t.match(own.body, {
    state: 'open',
    note: undefined,
    outbox: undefined,
    facts: undefined,
    escalationLevel: undefined,
  });
});

t.test('the same press again has the same answer, for ever', async (t) => {
  const driver = asDriver(newId('driver'));
  const body = press();
  const first = await api.call<SosReply>('POST /v1/sos', { as: driver, body });

  const again = await Promise.all(
    Array.from({ length: 8 }, () => api.call<SosReply>('POST /v1/sos', { as: driver, body })),
  );
  for (const reply of again) t.same(reply.body, first.body);
  await api.call(`POST /v1/sos/${body.alertId}/resolve`, { as: operator, body: { reason: 'helped' } });
  t.same((await api.call<SosReply>('POST /v1/sos', { as: driver, body })).body, first.body, 'also when it is over');
  t.equal(await mongo.db.collection('alerts').countDocuments({ 'person.userId': driver.userId }), 1);

  const next = await raise(driver);
  t.not(next.body.alertId, body.alertId, 'a new press is a new alert then');
  t.equal(next.body.joined, undefined);
});

t.test(
  'one person has one open alert: a press within a minute joins in silence, a later one is pressed again',
  async (t) => {
    const rider = asRider(newId('rider'));
    const first = await raise(rider);
    const { alertId } = first.body;
    await api.call(`POST /v1/sos/${alertId}/acknowledge`, { as: operator });

    const location = { lat: 12.5, lng: 77.25, recordedAt: new Date().toISOString() };
    const second = await api.call<SosReply>('POST /v1/sos', { as: rider, body: press({ location }) });
    t.match(second.body, { alertId, joined: true, state: 'acknowledged' });
    const joined = (await api.call<Alert>(`GET /v1/sos/${alertId}`, { as: operator })).body;
    t.match(joined, { state: 'acknowledged', location }, 'where the person is now');

    const alerts = mongo.db.collection<{ _id: string }>('alerts');
    await alerts.updateOne({ _id: alertId }, { $set: { lastPressedAt: new Date(Date.now() - 61_000) } });
    const body = press({ note: 'still here' });
    const third = await api.call<SosReply>('POST /v1/sos', { as: rider, body });
    t.match(third.body, { alertId, joined: true, state: 'open' });
    t.match(await desk.heard('admin:sos', alertId, 'sos.pressed_again'), { version: 4, sound: true });
    const seen = await api.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator });
    t.match(seen.body, { alertId, state: 'open', pressCount: 3, acknowledgedBy: undefined, acknowledgedAt: undefined });
    t.match(seen.body.facts?.at(-1), { kind: 'pressed_again', text: 'still here' });
    t.ok(Date.parse(seen.body.escalatesAt ?? '') > Date.now(), 'the escalation has begun anew');
    t.same((await api.call('POST /v1/sos', { as: rider, body })).body, third.body);
  },
);

t.test(
  'contacts are in the alert from the first write, and nothing that says who they are is readable in it',
  async (t) => {
    const rider = asRider(newId('rider'));
    t.equal((await api.call('PUT /v1/users/me/contacts/sister', { as: rider, body: contactBody })).status, 201);
    const { body } = await raise(rider, { note: 'the driver left the road' });

    const stored = await mongo.db.collection<{ _id: string }>('alerts').findOne({ _id: body.alertId });
    const { outbox, contacts } = stored as unknown as AlertDocument;
    t.same(
      outbox.filter(({ recipient }) => recipient.kind === 'contact').map(({ channel }) => channel),
      contactBody.channels,
    );
    t.equal(contacts.length, 1);
    const text = JSON.stringify(stored);
    for (const secret of [contactBody.name, contactBody.phone, 'left the road']) t.notOk(text.includes(secret), secret);
    const seen = await api.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator });
    t.equal(seen.body.note, 'the driver left the road');
  },
);

t.test('the cancel PIN ends an alert; the duress PIN only seems to; a wrong one does nothing', async (t) => {
  const rider = asRider(newId('rider'));
  const pins = { cancel: '2580', duress: '8520' };
  t.equal((await api.call('PUT /v1/users/me/safety', { as: rider, body: { pins } })).status, 200);
  const { alertId } = (await raise(rider)).body;
  const cancel = (pin: string) => api.call<Alert>(`POST /v1/sos/${alertId}/cancel`, { as: rider, body: { pin } });
  const seenBy = async (as: Call['as']) => (await api.call<Alert>(`GET /v1/sos/${alertId}`, { as })).body;

  t.equal((await cancel('1111')).status, 403);
  t.match(await seenBy(operator), { state: 'open' });

  const underDuress = await cancel(pins.duress);
  t.match(underDuress, { status: 200, body: { state: 'cancelled' } });
  t.match(await seenBy(rider), { state: 'cancelled' });
  const atTheDesk = await seenBy(operator);
  t.match(atTheDesk, { state: 'open' });
  // The escalation begins anew at once, and is told after it.
  t.ok(atTheDesk.facts?.some(({ kind }) => kind === 'duress'));

  const cancelled = await cancel(pins.cancel);
  t.match(cancelled, { status: 200, body: { state: 'cancelled' } });
  t.same(Object.keys(underDuress.body).toSorted(), Object.keys(cancelled.body).toSorted(), 'both look alike');
  t.match(await seenBy(operator), { state: 'cancelled', escalatesAt: undefined });
});

t.test('an id that somebody else has already used neither refuses an alert nor shows one', async (t) => {
  const body = press();
  const [one, other] = [asRider(newId('rider')), asRider(newId('rider'))];
  const first = await api.call<SosReply>('POST /v1/sos', { as: one, body });

  const theirs = { ...body, note: 'of somebody else' };
  const second = await api.call<SosReply>('POST /v1/sos', { as: other, body: theirs });

  t.equal(second.status, 201);
  const { note } = (await api.call<Alert>(`GET /v1/sos/${first.body.alertId}`, { as: operator })).body;
  t.equal(note, body.note, 'nothing of it is in the first one');
  t.not(second.body.alertId, first.body.alertId);
  t.equal(second.body.joined, undefined);
  t.same((await api.call('POST /v1/sos', { as: other, body: theirs })).body, second.body);
  t.equal((await api.call(`GET /v1/sos/${first.body.alertId}`, { as: other })).status, 404);
});

t.test('a genuine token that ran out within a day will do, here only, and is marked', async (t) => {
  const rider = asRider(newId('rider'));
  const headers = (agoMs: number) => ({ authorization: `Bearer ${expiredTokenOf('rider', rider.userId, agoMs)}` });
  const body = press();

  const reply = await api.call<SosReply>('POST /v1/sos', { headers: headers(23 * 3_600_000), body });

  t.equal(reply.status, 201);
  t.match((await api.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator })).body, { isTokenExpired: true });
  const late = await api.call<Problem>('POST /v1/sos', { headers: headers(25 * 3_600_000), body: press() });
  t.match([late.status, late.body.code], [401, 'token_expired']);
  const elsewhere = await api.call<Problem>(`GET /v1/sos/${body.alertId}`, { headers: headers(3_600_000) });
  t.match([elsewhere.status, elsewhere.body.code], [401, 'token_expired']);
});

t.test('one operator takes care, the others are told who', async (t) => {
  const { alertId } = (await raise(asRider(newId('rider')))).body;

  const replies = await Promise.all(
    [operator, colleague, { role: 'operator', userId: 'otto' } as const].map((as) =>
      api.call<Alert & Problem>(`POST /v1/sos/${alertId}/acknowledge`, { as }),
    ),
  );

  const [winner, ...others] = replies.toSorted((a, b) => a.status - b.status);
  t.equal(winner?.status, 200);
  t.match(winner?.body, { state: 'acknowledged', escalatesAt: null, version: 2 });
  const incidents = winner?.body.outbox?.filter(({ channel }) => channel === 'incident');
  t.same(
    incidents?.map(({ purpose }) => purpose),
    [undefined, 'acknowledge'],
  );
  for (const { status, body } of others) {
    t.match([status, body.code, body.detail], [409, 'sos_taken', `acknowledged by ${winner?.body.acknowledgedBy}`]);
  }
  const as = { role: 'operator', userId: winner?.body.acknowledgedBy ?? '' } as const;
  const again = await api.call<Alert>(`POST /v1/sos/${alertId}/acknowledge`, { as });
  t.same([again.status, again.body.version], [200, 2], 'again by the same one changes nothing');
  t.match(await desk.heard('admin:sos', alertId, 'sos.acknowledged'), { version: 2, byUserId: as.userId });
});

t.test('claims, notes and ends', async (t) => {
  const rider = asRider(newId('rider'));
  const { alertId } = (await raise(rider)).body;
  const order = <Body = Alert>(path: string, body: unknown, as: Call['as'] = operator) =>
    api.call<Body>(`POST /v1/sos/${alertId}/${path}`, { as, body });

  t.match((await order('claim', {})).body, { claimedBy: 'olga', claimedAt: /Z$/ });
  const refused = await order<Problem>('claim', {}, colleague);
  t.match([refused.status, refused.body.code, refused.body.detail], [409, 'sos_taken', 'claimed by olga']);
  t.equal((await order('claim', { takeOver: true }, colleague)).body.claimedBy, 'oskar');

  const note = { noteId: 'note-1', text: 'on the phone with her' };
  await order('note', note);
  const noted = await order('note', note);
  t.equal(noted.body.facts?.filter(({ kind }) => kind === 'note').length, 1, 'a repeated note is one');

  const cancelled = await order<Problem>('cancel', { pin: '1234' }, rider);
  t.match([cancelled.status, cancelled.body.code], [409, 'sos_pin_unset']);
  const closed = await order('false-alarm', { reason: 'pocket' });
  t.match(closed.body, { state: 'false_alarm', closedBy: 'olga', closeReason: 'pocket', escalatesAt: null });
  t.equal((await order('resolve', { reason: 'x' })).status, 409);
  t.same(
    // Nobody is set up here who could carry the incident.
    closed.body.facts?.map(({ kind }) => kind).filter((kind) => kind !== 'not_delivered'),
    ['raised', 'claimed', 'claimed', 'note', 'false_alarm'],
  );
});

t.test('the list has open alerts first, then the newest, page by page', async (t) => {
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) ids.push((await raise(asRider(newId('rider')))).body.alertId);
  await api.call(`POST /v1/sos/${ids[2]}/resolve`, { as: operator, body: { reason: 'helped' } });

  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: ListAlertsReply = (
      await api.call<ListAlertsReply>(`GET /v1/sos?limit=2${cursor && `&cursor=${cursor}`}`, { as: operator })
    ).body;
    seen.push(...page.alerts.map(({ alertId }) => alertId));
    cursor = page.nextCursor;
  }

  t.equal(new Set(seen).size, await mongo.db.collection('alerts').countDocuments());
  t.same(
    seen.filter((id) => ids.includes(id)),
    [ids[1], ids[0], ids[2]],
  );
  t.equal((await api.call('GET /v1/sos?cursor=nonsense', { as: operator })).status, 400);
});

t.test('a text that cannot be opened says so, and hides neither its alert nor others', async (t) => {
  const [lost, whole] = [await raise(asRider(newId('rider'))), await raise(asRider(newId('rider')))];
  const alerts = mongo.db.collection<AlertDocument>('alerts');
  for (const { body } of [lost, whole]) {
    await api.call(`POST /v1/sos/${body.alertId}/note`, { as: operator, body: { text: 'called back' } });
    await api.call(`POST /v1/sos/${body.alertId}/resolve`, { as: operator, body: { reason: 'helped' } });
  }
  const of = await alerts.findOne({ _id: lost.body.alertId });
  const gone = { sealed: `gone.${'x'.repeat(60)}`, digest: 'none' };
  await alerts.updateOne(
    { _id: lost.body.alertId },
    {
      $set: {
        closeReason: gone,
        note: gone,
        facts: (of?.facts ?? []).map((fact) => (fact.text ? { ...fact, text: gone } : fact)),
      },
    },
  );

  const list = await api.call<ListAlertsReply>('GET /v1/sos?state=resolved&limit=100', { as: operator });
  const reasonOf = (alertId: string) => list.body.alerts.find((alert) => alert.alertId === alertId)?.closeReason;
  t.match(reasonOf(lost.body.alertId), /cannot be read/);
  t.equal(reasonOf(whole.body.alertId), 'helped');
  const seen = await api.call<Alert>(`GET /v1/sos/${lost.body.alertId}`, { as: operator });
  t.match(seen.body, { alertId: lost.body.alertId, state: 'resolved', note: /cannot be read/ });
});

t.test('a press over a socket comes by the internal listener, with the identity of the socket', async (t) => {
  const userId = newId('rider');
  const trigger = press();
  const post = (path: string, body: unknown, token = serviceToken) =>
    fetch(`${api.internalUrl}/internal/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });

  t.equal((await post('sos', { identity: { userId, role: 'rider' }, trigger }, 'x')).status, 401);
  const reply = await post('sos', { identity: { userId, role: 'rider' }, trigger });
  t.equal(reply.status, 201);
  t.match(await reply.json(), { alertId: trigger.alertId, durability: 'majority' });

  const { alertId } = trigger;
  const access = await post('sos-access', {
    questions: [
      { alertId, userId, role: 'rider' },
      { alertId, userId: 'somebody', role: 'rider' },
      { alertId, userId: 'olga', role: 'operator' },
      { alertId: 'nothing', userId: 'olga', role: 'operator' },
    ],
  });
  t.same(await access.json(), {
    allowed: [true, false, true, false],
    views: [{ as: 'person' }, null, { as: 'staff' }, null],
  });
});

t.test('by the id of its request an alert is followed through its facts, its job and the logs', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const onLogLine = (line: string) => void lines.push(JSON.parse(line));
  // Of its own, so that nobody else sends the alert.
  const database = `${mongo.database}-followed`;
  const db = mongo.client.db(database);
  await createCollections(db);
  t.teardown(() => db.dropDatabase());
  const environment = { ...environmentOf({ redis, mongo: { ...mongo, database } }), LOG_LEVEL: 'info' };
  const own = await startTestApi(t, environment, { onLogLine });
  const settings = redis.settings();
  const connections = await connectRedis({ settings, role: 'queue', log });
  t.teardown(() => connections.close());
  const body = press();
  const headers = { 'x-request-id': `press-${newId('c')}` };
  const correlationId = headers['x-request-id'];

  const reply = await own.call('POST /v1/sos', { as: asRider(newId('rider')), body, headers });

  t.match([reply.status, reply.headers.get('x-request-id')], [201, correlationId]);
  const alert = await own.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator });
  t.match(alert.body.facts?.[0], { kind: 'raised', data: { correlationId } });
  const jobKey = `${createKeys(settings).queuePrefix('sos')}:sos:${body.alertId}-0`;
  const data = await waitFor(async () => (await connections.commands.hget(jobKey, 'data')) ?? undefined, {
    withinMs: 20_000,
    what: 'the job',
  });
  t.match(JSON.parse(data), { recordId: body.alertId, correlationId });
  for (const msg of ['alert accepted', 'an alert is sent']) {
    await waitFor(() => lines.some((line) => line.msg === msg && line.correlationId === correlationId), {
      withinMs: 20_000,
      what: `the line “${msg}”`,
    });
  }

  const socket = { role: 'rider', userId: newId('rider') };
  const other = press();
  await fetch(`${own.internalUrl}/internal/sos`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${serviceToken}`, ...headers },
    body: JSON.stringify({ identity: socket, trigger: other }),
  });
  const forwarded = await own.call<Alert>(`GET /v1/sos/${other.alertId}`, { as: operator });
  t.match(forwarded.body.facts?.[0], { data: { correlationId } });
});

t.test('what is watched is there from the start, and nothing stays in the journal', async (t) => {
  await raise(asRider(newId('rider')));
  const read = async () => (await fetch(api.metricsUrl)).text();

  const metrics = await read();
  for (const name of ['sos_unpersisted_notify', 'sos_not_persisted_total', 'sos_replay_failed_total']) {
    t.match(metrics, new RegExp(`^${name}\\{.*\\} 0$`, 'm'));
  }
  await waitFor(async () => /^sos_journal_presses\{.*\} 0$/m.test(await read()), {
    withinMs: 10_000,
    what: 'an empty journal',
  });
  t.match(await read(), /^sos_journal_bytes\{.*\} 0$/m);
});
