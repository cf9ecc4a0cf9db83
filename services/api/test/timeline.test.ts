import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Alert, SosReply } from '@hushryd/contracts/http/sos';
import type { AlertExport, TimelineReply } from '@hushryd/contracts/http/timeline';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { press } from './sos-desk.ts';
import {
  asRider,
  createCollections,
  drive,
  environmentOf,
  fixesFrom,
  newId,
  operator,
  startNewTrip,
  startTestApi,
} from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const api = await startTestApi(t, environmentOf({ redis, mongo }));
const verifier = fileURLToPath(new URL('../../../packages/outreach/verify-timeline.mjs', import.meta.url));

const raise = async (changes: Record<string, unknown> = {}, as = asRider(newId('rider'))) =>
  (await api.call<SosReply>('POST /v1/sos', { as, body: press(changes) })).body.alertId;
const order = (alertId: string, path: string, body: unknown) =>
  api.call<Alert>(`POST /v1/sos/${alertId}/${path}`, { as: operator, body });
const verify = (file: unknown, ...options: string[]) =>
  spawnSync(process.execPath, [verifier, ...options, '-'], {
    input: typeof file === 'string' ? file : JSON.stringify(file),
    encoding: 'utf8',
  });

t.test('the timeline of an alert is read page by page, exported, and verified by anybody', async (t) => {
  const location = { lat: 41.15, lng: -8.61, recordedAt: new Date().toISOString() };
  const alertId = await raise({ note: 'red car', location, batteryPercent: 17 });
  await order(alertId, 'claim', {});
  await order(alertId, 'note', { noteId: 'one', text: 'on the phone – she says “left door”' });

  const pages: TimelineReply[] = [];
  for (let cursor: string | null = ''; cursor !== null; cursor = pages.at(-1)?.nextCursor ?? null) {
    const path = `GET /v1/sos/${alertId}/timeline?limit=2${cursor && `&cursor=${cursor}`}`;
    pages.push((await api.call<TimelineReply>(path, { as: operator })).body);
  }
  const facts = pages.flatMap((page) => page.facts);
  t.same(
    facts.map(({ seq }) => seq),
    facts.map((_, index) => index + 1),
  );
  t.match(facts[0], { kind: 'raised', text: 'red car', data: { location, batteryPercent: 17, via: 'https' } });
  // Between them stands what was tried to reach people.
  t.match(
    facts.filter(({ by }) => by === operator.userId),
    [{ kind: 'claimed' }, { kind: 'note', text: /left door/ }],
  );

  const { status, headers, body } = await api.call<AlertExport>(`GET /v1/sos/${alertId}/export`, { as: operator });
  t.equal(status, 200);
  t.match(headers.get('content-disposition'), `filename="alert-${alertId}.json"`);
  t.match(body, { alertId, alert: { state: 'open' }, exportedBy: operator.userId });
  t.match(
    body.facts.filter(({ by }) => by === operator.userId).map(({ kind, text }) => [kind, text]),
    [['claimed'], ['note', /left door/], ['exported']],
  );
  const good = verify(body, '--head', body.head);
  t.match([good.status, good.stdout], [0, new RegExp(`OK: alert ${alertId}, ${body.facts.length} facts`)]);

  const changed = structuredClone(body);
  const note = changed.facts.find(({ kind }) => kind === 'note');
  Object.assign(note ?? {}, { text: 'nobody answers' });
  const bad = verify(changed);
  t.match(
    [bad.status, bad.stdout],
    [1, new RegExp(`^fact ${note?.seq} \\(note-.*\\): has another text than was sealed$`, 'm')],
  );

  const closed = await order(alertId, 'resolve', { reason: 'helped' });
  t.match(closed.body.facts?.[0], { seq: 1, kind: 'raised', isSealed: true }, 'the alert shows what is sealed, too');
  t.ok(closed.body.facts?.some(({ kind, text }) => kind === 'resolved' && text === 'helped'));
  t.equal(closed.body.factCount, closed.body.facts?.length);
});

t.test('the program for people outside says what it takes, and what it cannot read', (t) => {
  t.match(execFileSync(process.execPath, [verifier, '--help'], { encoding: 'utf8' }), /Usage: verify-timeline/);
  for (const [input, options] of [
    ['{', []],
    ['{"format":"another"}', []],
    ['null', []],
    ['{}', ['--unknown']],
  ] as const) {
    const { status, stderr } = verify(input, ...options);
    t.match([status, stderr], [2, /./]);
  }
  t.end();
});

t.test('the trail as GPX: presses, the person’s own fixes, and the trip', async (t) => {
  const trip = await startNewTrip(api);
  const location = { lat: 41.16, lng: -8.62, recordedAt: new Date().toISOString() };
  const rider = asRider(trip.passengerIds[0] ?? '');
  const alertId = await raise({ tripId: trip.tripId, location }, rider);
  const own = { run: Date.now(), fixes: fixesFrom(1, 3) };
  t.match(await api.call(`POST /v1/sos/${alertId}/fixes`, { as: rider, body: own }), {
    status: 200,
    body: { durableSeqs: [1, 2, 3] },
  });
  await drive(api, trip.driverId, fixesFrom(1, 5), { tripId: trip.tripId });

  const { status, headers, body } = await api.call<string>(`GET /v1/sos/${alertId}/export.gpx`, { as: operator });

  t.equal(status, 200);
  t.match(headers.get('content-type'), 'application/gpx+xml');
  t.match(body, `<wpt lat="41.16" lon="-8.62"><time>${location.recordedAt}</time><name>raised</name></wpt>`);
  const tracks = [...body.matchAll(/<trk><name>(.*?)<\/name>(.*?)<\/trk>/gs)];
  t.same(
    tracks.map(([, name, points]) => [name, points?.match(/<trkpt /g)?.length]),
    [
      [`person ${rider.userId}`, 3],
      [`driver ${trip.driverId}, trip ${trip.tripId}`, 5],
    ],
  );
  t.match(body.trimEnd(), /<\/gpx>$/);
  const { facts } = (await api.call<TimelineReply>(`GET /v1/sos/${alertId}/timeline`, { as: operator })).body;
  t.match(
    facts.find(({ kind }) => kind === 'exported'),
    { by: operator.userId, data: { format: 'gpx' } },
  );
});

t.test('an alert without a place or trip has an empty trail; no alert has none', async (t) => {
  const empty = await api.call<string>(`GET /v1/sos/${await raise()}/export.gpx`, { as: operator });
  t.equal(empty.status, 200);
  t.notMatch(empty.body, /<(wpt|trk)/);
  for (const path of ['timeline', 'export', 'export.gpx']) {
    t.equal((await api.call(`GET /v1/sos/nothing/${path}`, { as: operator })).status, 404);
  }
  const odd = await api.call(`GET /v1/sos/${await raise()}/timeline?cursor=odd`, { as: operator });
  t.match(odd, { status: 400, body: { code: 'cursor_invalid' } });
});
