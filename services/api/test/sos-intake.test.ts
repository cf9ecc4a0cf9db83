import { pressParts } from '@hushryd/contracts/http/read-press';
import type { Alert, SosReply } from '@hushryd/contracts/http/sos';
import type { AlertTrailReply, SosFixesReply } from '@hushryd/contracts/http/sos-trail';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { press } from './sos-desk.ts';
import {
  asRider,
  type Call,
  createCollections,
  environmentOf,
  newId,
  operator,
  serviceToken,
  startTestApi,
} from './test-api.ts';

// A call for help with something wrong in it, by either listener. What is read and what is left out: read-press.test.ts in contracts.

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const lines: string[] = [];
const environment = { ...environmentOf({ redis, mongo }), LOG_LEVEL: 'info' };
const api = await startTestApi(t, environment, { onLogLine: (line) => void lines.push(line) });

const counted = async (name: string, field: string) => {
  const text = await (await fetch(api.metricsUrl)).text();
  const line = text.split('\n').find((row) => row.startsWith(`${name}{`) && row.includes(`field="${field}"`));
  return Number(line?.split(' ').at(-1));
};

const forward = (body: unknown) =>
  fetch(`${api.internalUrl}/internal/sos`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${serviceToken}` },
    body: JSON.stringify(body),
  });

/** What phones, and apps newer than this server, have been seen to say or may say. */
const faulty = {
  location: { lat: 41.15, lng: -8.61, accuracyMeters: -1, recordedAt: 'yesterday', altitude: 90 },
  batteryPercent: -1,
  device: { platform: 'ios', model: 'secret model '.repeat(9), cores: 8 },
  tripId: 'no id',
  note: 'n'.repeat(501),
  mood: { is: ['newer'] },
};
const droppedOf = [
  'location.accuracyMeters',
  'location.recordedAt',
  'batteryPercent',
  'device.model',
  'tripId',
  'note',
  'other',
];

t.test('a press is taken whatever is wrong beside its id, by either listener', async (t) => {
  for (const field of pressParts) t.equal(await counted('sos_fields_dropped_total', field), 0, `${field} is there`);
  const [rider, other] = [asRider(newId('rider')), asRider(newId('rider'))];
  const byHttps = press({ ...faulty, triggeredAt: 1_700_000_000 });
  const bySocket = press({ ...faulty, triggeredAt: 1_700_000_000 });

  const reply = await api.call<SosReply>('POST /v1/sos', { as: rider, body: byHttps });
  const identity = { userId: other.userId, role: 'rider', plan: 'newer' };
  const forwarded = await forward({ identity, trigger: bySocket, hop: 'newer' });

  t.same([reply.status, forwarded.status], [201, 201]);
  for (const { alertId } of [byHttps, bySocket]) {
    const { body: alert } = await api.call<Alert>(`GET /v1/sos/${alertId}`, { as: operator });
    t.match(alert, {
      alertId,
      state: 'open',
      location: { lat: 41.15, lng: -8.61, accuracyMeters: undefined, recordedAt: /Z$/ },
      batteryPercent: undefined,
      tripId: undefined,
      isLate: undefined,
      device: { platform: 'ios', model: 'secret model '.repeat(9).slice(0, 64), cores: undefined },
      note: 'n'.repeat(500),
    });
    t.ok(Math.abs(Date.parse(alert.triggeredAt) - Date.parse(alert.acceptedAt)) < 60_000, 'the time of receipt');
  }
  for (const field of ['triggeredAt', ...droppedOf])
    t.equal(await counted('sos_fields_dropped_total', field), 2, field);
  const said = lines.filter((line) => line.includes('parts of a press not taken')).map((line) => JSON.parse(line));
  t.match(said, [
    { triggerId: byHttps.alertId, parts: ['triggeredAt', ...droppedOf], correlationId: /./ },
    { triggerId: bySocket.alertId, parts: { length: 8 } },
  ]);
  for (const value of ['secret model', 'nnnn', '41.15', 'no id']) {
    t.notOk(
      lines.some((line) => line.includes(value)),
      `no log says ${value}`,
    );
  }
});

t.test('what is right stays as it was, and is nowhere counted', async (t) => {
  const before = await counted('sos_fields_dropped_total', 'other');
  const body = press({
    location: { lat: 41.15, lng: -8.61, accuracyMeters: 12, recordedAt: new Date().toISOString() },
    batteryPercent: 17,
    device: { platform: 'android', model: 'P 9' },
    note: 'red car',
  });
  const linesBefore = lines.length;
  t.equal((await api.call('POST /v1/sos', { as: asRider(newId('rider')), body })).status, 201);

  const { alertId: _, ...said } = body;
  t.match((await api.call<Alert>(`GET /v1/sos/${body.alertId}`, { as: operator })).body, said);
  t.equal(await counted('sos_fields_dropped_total', 'other'), before);
  t.notOk(lines.slice(linesBefore).some((line) => line.includes('not taken')));
});

t.test('without a valid id, or without who it is, it is refused as before', async (t) => {
  const as = asRider(newId('rider'));
  for (const body of [undefined, [], { ...press(), alertId: 'help' }, { triggeredAt: press().triggeredAt }]) {
    t.equal((await api.call('POST /v1/sos', { as, body })).status, 400);
  }
  t.equal((await api.call('POST /v1/sos', { body: press(faulty) })).status, 401);
  const trigger = press();
  for (const identity of [undefined, null, 'rita', { userId: 'rita' }, { userId: 'rita', role: 'boss' }]) {
    t.equal((await forward({ identity, trigger })).status, 400);
  }
  t.equal((await forward({ identity: { userId: 'rita', role: 'rider' }, trigger: { alertId: 'help' } })).status, 400);
  t.equal((await forward(null)).status, 400);
});

t.test('the description goes on saying what phones are to send', async (t) => {
  const { body } = await api.call<{ paths: Record<string, { post: { requestBody: unknown } }> }>('GET /openapi.json');
  const shapeOf = (path: string) => JSON.stringify(body.paths[path]?.post.requestBody);
  t.match(shapeOf('/v1/sos'), /"required":\["alertId","triggeredAt"\].*"maxLength":500.*"additionalProperties":false/);
  t.match(shapeOf('/v1/sos/{id}/fixes'), /"required":\["seq","recordedAtMs","lat","lng"\]/);
});

t.test('one bad fix takes none of the others with it, and what a phone does not know is left out', async (t) => {
  const rider = asRider(newId('rider'));
  const { alertId } = (await api.call<SosReply>('POST /v1/sos', { as: rider, body: press() })).body;
  const recordedAtMs = Date.now() - 5_000;
  const fix = (seq: number, changes: object = {}) => ({
    seq,
    recordedAtMs: recordedAtMs + seq,
    lat: 41,
    lng: -8,
    ...changes,
  });
  const fixes = [
    fix(1, { speedMps: -1, headingDegrees: -1, accuracyMeters: null, altitude: 90 }),
    fix(2, { lat: 'north' }),
    null,
    { lat: 41, lng: -8 },
    fix(5),
  ];
  const send = (body: object) => api.call<SosFixesReply>(`POST /v1/sos/${alertId}/fixes`, { as: rider, body });

  const reply = await send({ run: 7, fixes, app: 'newer', by: 'mallory', alertId: 'other' });
  t.match(reply, {
    status: 200,
    body: { alertId, run: 7, durableSeqs: [1, 5], drops: [{ seq: 2, reason: 'out_of_range' }] },
  });
  const forwarded = await fetch(`${api.internalUrl}/internal/sos-fixes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${serviceToken}` },
    body: JSON.stringify({ userId: rider.userId, alertId, run: 7, fixes, by: 'mallory' }),
  });
  t.same(await forwarded.json(), reply.body);

  const { points } = (await trailOf(alertId)).body;
  const point = { source: 'person', lat: 41, lng: -8 };
  const at = (seq: number) => new Date(recordedAtMs + seq).toISOString();
  t.same(points, [
    { ...point, recordedAt: at(1) },
    { ...point, recordedAt: at(5) },
  ]);
  t.equal(await counted('sos_fix_fields_dropped_total', 'speedMps'), 2);
  t.equal(await counted('sos_fix_fields_dropped_total', 'fix'), 4);
  for (const body of [{ fixes }, { run: 7, fixes: [] }, { run: 7, fixes: Array.from({ length: 101 }, () => fix(1)) }]) {
    t.equal((await send(body)).status, 400);
  }
});

const trailOf = (alertId: string, as: Call['as'] = operator) =>
  api.call<AlertTrailReply>(`GET /v1/sos/${alertId}/trail`, { as });

t.test('a phone whose clock is an hour ahead has its trail, in order, while it is open and afterwards', async (t) => {
  const rider = asRider(newId('rider'));
  const aheadMs = 3_600_000;
  const triggeredAt = new Date(Date.now() + aheadMs).toISOString();
  const { alertId } = (await api.call<SosReply>('POST /v1/sos', { as: rider, body: press({ triggeredAt }) })).body;
  const send = async (from: number, count: number) => {
    const nowMs = Date.now() + aheadMs;
    const fixes = Array.from({ length: count }, (_, index) => ({
      seq: from + index,
      recordedAtMs: nowMs - (count - index) * 1_000,
      lat: from + index,
      lng: -8,
    }));
    const { body } = await api.call<SosFixesReply>(`POST /v1/sos/${alertId}/fixes`, {
      as: rider,
      body: { run: 7, fixes },
    });
    return { ...body, fixes };
  };

  const first = await send(1, 3);
  t.match(first, { durableSeqs: [1, 2, 3], drops: [] });
  await api.call(`POST /v1/sos/${alertId}/fixes`, { as: rider, body: { run: 7, fixes: first.fixes } });
  const second = await send(4, 3);
  t.match(second, { durableSeqs: [4, 5, 6], drops: [] });

  const isWhole = ({ points }: AlertTrailReply) => {
    const times = points.map(({ recordedAt }) => Date.parse(recordedAt));
    t.same(
      points.map(({ lat }) => lat),
      [1, 2, 3, 4, 5, 6],
      'each once, in the order of its numbers',
    );
    t.equal(new Set(times).size, 6);
    t.ok(Math.max(...times) <= Date.now());
  };
  isWhole((await trailOf(alertId)).body);
  const history = mongo.db.collection('location_history');
  const [newest] = await history.find({ 'meta.alertId': alertId, seq: 6 }).toArray();
  t.equal(newest?.phoneTimeMs, second.fixes[2]?.recordedAtMs, 'what the phone said is kept');
  await api.call(`POST /v1/sos/${alertId}/resolve`, { as: operator, body: { reason: 'helped' } });
  isWhole((await trailOf(alertId)).body);
});
