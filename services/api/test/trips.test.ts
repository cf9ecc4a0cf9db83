import type { RoadsReply } from '@hushryd/contracts/http/map';
import type { Problem } from '@hushryd/contracts/http/problem';
import type { ListTripsReply, TrackReply } from '@hushryd/contracts/http/trips';
import type { Trip } from '@hushryd/contracts/trip';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { createHistoryStore } from '@hushryd/tracking/history/history-store';
import { createRoadStore } from '@hushryd/tracking/history/road-store';
import type { HistoryDocument } from '@hushryd/tracking/history/to-history-document';
import fc from 'fast-check';
import t from 'tap';
import {
  asDriver,
  createCollections,
  drive,
  environmentOf,
  fixesFrom,
  newId,
  operator,
  type Reply,
  startNewTrip,
  startTestApi,
  type TestApi,
  tripBody,
} from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const environment = environmentOf({ redis, mongo });
const nodes: [TestApi, TestApi] = [await startTestApi(t, environment), await startTestApi(t, environment)];
const [api] = nodes;

t.test('planning a trip twice with one key or id makes one trip', async (t) => {
  const body = tripBody();
  const plan = (headers: Record<string, string>, changes: Record<string, unknown> = {}) =>
    api.call<Trip & Problem>('POST /v1/trips', { as: operator, body: { ...body, ...changes }, headers });
  const key = { 'idempotency-key': newId('key') };

  const first = await plan(key);
  t.equal(first.status, 201);
  t.equal(first.headers.get('location'), `/v1/trips/${first.body.tripId}`);
  const again = await plan(key);
  t.equal(again.status, 201);
  t.equal(again.headers.get('idempotent-replayed'), 'true');
  t.same(again.body, first.body);
  const reused = await plan(key, { reference: 'another' });
  t.match([reused.status, reused.body.code], [422, 'idempotency_key_reused']);

  const tripId = newId('trip');
  t.same((await plan({}, { tripId })).body, (await plan({}, { tripId })).body);
  const taken = await plan({}, { tripId, reference: 'another' });
  t.match([taken.status, taken.body.code], [409, 'trip_exists']);
  t.equal((await plan({ 'idempotency-key': 'white space' })).status, 400);
});

t.test('repeated commands in any order, through either node, make one trip that both describe alike', async (t) => {
  const plan = fc.array(
    fc.record({ command: fc.constantFrom('create', 'start', 'end'), node: fc.constantFrom(0, 1) }),
    { minLength: 2, maxLength: 8 },
  );
  const property = fc.asyncProperty(plan, async (commands) => {
    const tripId = newId('trip');
    const body = tripBody({ tripId });
    const as = asDriver(body.driverId as string);
    const send = (node: number, command: string): Promise<Reply<Trip>> =>
      nodes[node === 0 ? 0 : 1].call<Trip>(
        command === 'create' ? 'POST /v1/trips' : `POST /v1/trips/${tripId}/${command}`,
        {
          as,
          ...(command === 'create' && { body }),
        },
      );

    const replies = await Promise.all(commands.map(({ node, command }) => send(node, command)));

    const isCreated = commands.some(({ command }) => command === 'create');
    const seen = await Promise.all(nodes.map((node) => node.call<Trip>(`GET /v1/trips/${tripId}`, { as })));
    const [one, two] = seen as [Reply<Trip>, Reply<Trip>];
    if (one.status !== (isCreated ? 200 : 404) || two.status !== one.status) return false;
    if (!isCreated) return true;
    const listed = await api.call<ListTripsReply>(`GET /v1/trips?q=${body.driverId}`, { as: operator });
    const steps = 1 + Number(one.body.startedAt !== undefined) + Number(one.body.endedAt !== undefined);
    return (
      JSON.stringify(one.body) === JSON.stringify(two.body) &&
      listed.body.trips.length === 1 &&
      one.body.version === steps &&
      replies.every(({ status }) => [200, 201, 404, 409].includes(status))
    );
  });
  const seed = Date.now() % 2 ** 31;
  t.comment(`fast-check seed ${seed}`);
  // A case is a dozen requests with their transactions, far above 5 ms: hence not the usual 1,000.
  const result = await fc.check(property, { seed, numRuns: 60 });
  t.notOk(
    result.failed,
    `seed ${result.seed}: ${JSON.stringify(result.counterexample)} ${String(result.errorInstance ?? '')}`,
  );
});

t.test('any two nodes answer the same request the same', async (t) => {
  const trip = await startNewTrip(api);
  await drive(api, trip.driverId, fixesFrom(1, 5), { tripId: trip.tripId });
  const requests = fc.record({
    route: fc.constantFrom(
      `GET /v1/trips/${trip.tripId}`,
      `GET /v1/trips/${trip.tripId}/location`,
      `GET /v1/trips/${trip.tripId}/track?limit=2`,
      `GET /v1/trips/${trip.tripId}/track?format=gpx`,
      `GET /v1/drivers/${trip.driverId}/location`,
      `GET /v1/trips?q=${trip.tripId}`,
      `POST /v1/trips/${trip.tripId}/start`,
      'GET /v1/trips/nearby?lat=91&lng=0',
      'DELETE /v1/trips',
      'GET /nowhere',
      'GET /openapi.json',
    ),
    as: fc.constantFrom(operator, asDriver(trip.driverId), asDriver('somebody'), undefined),
  });
  // Times of asking and ids of requests are each answer's own.
  const facts = ({ status, body }: Reply) => ({
    status,
    body: JSON.stringify(body, (key, value: unknown) =>
      ['asOf', 'ageSeconds', 'correlationId'].includes(key) ? undefined : value,
    ),
  });

  const property = fc.asyncProperty(requests, async ({ route, as }) => {
    const [one, two] = await Promise.all(nodes.map((node) => node.call(route, { as })));
    return JSON.stringify(facts(one as Reply)) === JSON.stringify(facts(two as Reply));
  });
  const seed = Date.now() % 2 ** 31;
  t.comment(`fast-check seed ${seed}`);
  // A case is two requests over the network, above 5 ms on a busy machine: hence not the usual 1,000.
  const result = await fc.check(property, { seed, numRuns: 150 });
  t.notOk(result.failed, `seed ${result.seed}: ${JSON.stringify(result.counterexample)}`);
});

t.test('staff page through trips without missing or repeating one', async (t) => {
  const reference = newId('R');
  const made = await Promise.all(
    Array.from({ length: 5 }, () => api.call<Trip>('POST /v1/trips', { as: operator, body: tripBody({ reference }) })),
  );
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Reply<ListTripsReply> = await api.call(
      `GET /v1/trips?q=${reference}&limit=2${cursor && `&cursor=${cursor}`}`,
      { as: operator },
    );
    seen.push(...page.body.trips.map(({ tripId }) => tripId));
    cursor = page.body.nextCursor;
  }
  t.same(seen.toSorted(), made.map(({ body }) => body.tripId).toSorted());
  const broken = await api.call<Problem>('GET /v1/trips?cursor=nonsense', { as: operator });
  t.match([broken.status, broken.body.code], [400, 'cursor_invalid']);
});

t.test('a driver with an active trip cannot start another', async (t) => {
  const trip = await startNewTrip(api);
  const { body: next } = await api.call<Trip>('POST /v1/trips', {
    as: operator,
    body: tripBody({ driverId: trip.driverId }),
  });
  const busy = await api.call<Problem>(`POST /v1/trips/${next.tripId}/start`, { as: operator });
  t.match([busy.status, busy.body.code], [409, 'driver_busy']);
});

t.test('a track comes in pages and as files, what is stored and what is on its way together', async (t) => {
  const trip = await startNewTrip(api);
  const { tripId, driverId } = trip;
  const stored: HistoryDocument[] = fixesFrom(1, 12, { speedMps: 8 }).map(({ recordedAtMs, ...fix }) => ({
    ...fix,
    ts: new Date(recordedAtMs - 10_000),
    meta: { driverId, tripId },
    run: 1,
    receivedAt: new Date(),
    live: true,
  }));
  // Stored twice, as after a redelivery.
  const history = createHistoryStore({ db: mongo.db, deadlineMs: 5_000 });
  await history.insert([...stored, ...stored.slice(3, 6).map((fix) => ({ ...fix }))]);
  const run = await drive(api, driverId, fixesFrom(13, 3), { tripId });
  const expected = [...stored.map(({ seq }) => `1:${seq}`), ...[13, 14, 15].map((seq) => `${run}:${seq}`)];
  const route = `GET /v1/trips/${tripId}/track`;

  const whole = await api.call<TrackReply>(route, { as: operator });
  t.equal(whole.body.tail, 'complete');
  t.same(
    whole.body.fixes.map((fix) => `${fix.run}:${fix.seq}`),
    expected,
  );
  t.same(whole.body.fixes[0]?.lat, stored[0]?.lat);

  const paged: string[] = [];
  const tails: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Reply<TrackReply> = await api.call(`${route}?limit=5${cursor && `&cursor=${cursor}`}`, {
      as: operator,
    });
    paged.push(...page.body.fixes.map((fix) => `${fix.run}:${fix.seq}`));
    tails.push(page.body.tail);
    cursor = page.body.nextCursor;
  }
  t.same(paged, expected.slice(0, 12), 'only the first page looks at what is on its way');
  t.same(tails, ['truncated', 'none', 'none'], 'and says that it has no room for it');

  const csv = await api.call<string>(`${route}?format=csv`, { as: operator });
  t.match(csv.headers.get('content-type'), /^text\/csv/);
  t.match(csv.headers.get('content-disposition'), `trip-${tripId}.csv`);
  const lines = csv.body.trimEnd().split('\r\n');
  t.same(
    lines.slice(1).map((line) => line.split(',').slice(0, 2).join(':')),
    expected,
  );

  const gpx = await api.call<string>(route, { as: operator, headers: { accept: 'application/gpx+xml' } });
  t.match(gpx.headers.get('content-type'), /^application\/gpx\+xml/);
  t.equal(gpx.body.match(/<trkpt /g)?.length, expected.length);
  t.ok(gpx.body.trimEnd().endsWith('</gpx>'));

  interface Features {
    features: { geometry: { coordinates: number[][] }; properties: { coordTimes: string[] } }[];
  }
  const geojson = await api.call<Features>(`${route}?format=geojson`, { as: operator });
  const [feature] = geojson.body.features;
  t.same(
    feature?.geometry.coordinates,
    whole.body.fixes.map(({ lng, lat }) => [lng, lat]),
  );
  t.same(
    feature?.properties.coordTimes,
    whole.body.fixes.map(({ recordedAt }) => recordedAt),
  );

  t.equal((await api.call(`${route}?format=csv&limit=5`, { as: operator })).status, 400);
  t.equal((await api.call(`${route}?cursor=nonsense`, { as: operator })).status, 400);
  t.equal((await api.call(route, { as: operator, headers: { accept: 'image/png' } })).status, 406);
});

t.test('roads are GeoJSON, busiest first, and only where they were asked for', async (t) => {
  const roads = createRoadStore({ db: mongo.db, deadlineMs: 5_000 });
  const segment = (west: number) => ({
    id: newId('road'),
    ends: [
      [west, 41.1],
      [west + 0.001, 41.1],
    ] as [[number, number], [number, number]],
  });
  const passes = [3, 7, 5].map((count, index) => ({ segment: segment(-8.6 + index * 0.01), count }));
  const elsewhere = { segment: segment(10), count: 100 };
  await roads.add(new Map([...passes, elsewhere].map((entry) => [entry.segment.id, entry])), Date.now());

  const { body } = await api.call<RoadsReply>('GET /v1/map/roads?bbox=-8.7,41,-8.5,41.2&limit=2', { as: operator });
  t.same(
    body.features.map(({ properties }) => properties),
    [{ passes: 7 }, { passes: 5 }],
  );
  t.same(body.features[0]?.geometry, { type: 'LineString', coordinates: passes[1]?.segment.ends });
  t.equal((await api.call('GET /v1/map/roads?bbox=2,2,1,1', { as: operator })).status, 400);
  t.equal((await api.call('GET /v1/map/roads?bbox=0,40,10,50', { as: operator })).status, 200);
  for (const tooLarge of ['-180,-90,180,90', '0,40,10.1,41', '0,40,1,50.1']) {
    t.match(await api.call(`GET /v1/map/roads?bbox=${tooLarge}`, { as: operator }), {
      status: 400,
      body: { code: 'request_invalid', detail: /^bbox may be 10 degrees/ },
    });
  }
});
