import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import { createFakeApi, problem } from '../../test/support/fake-api.ts';
import { createHttpClient } from './http-client.ts';
import { createShareClient } from './share-client.ts';

function setUp() {
  const api = createFakeApi();
  const client = createHttpClient({ apiUrl: 'https://api.example/', getToken: () => 'token', fetch: api.fetch });
  const sent = () => api.requests.map(({ method, url }) => `${method} ${url.slice('https://api.example'.length)}`);
  return { api, client, sent };
}

test('each call goes to its route', async (t) => {
  const { api, client, sent } = setUp();
  const place = { lat: 41, lng: -8 };
  const trip = { driverId: 'd', passengerIds: [], origin: place, destination: place };
  for (let i = 0; i < 52; i += 1) api.answers.push({ status: 200, body: { i } });

  await client.createTrip(trip, { idempotencyKey: 'key-1' });
  await client.startTrip('a');
  await client.endTrip('a');
  await client.putPassengers('a', ['p']);
  await client.getTrip('a/b');
  await client.listTrips({ q: 'ä b', state: 'active', limit: 5 });
  await client.listTrips();
  await client.getTrack('a', { cursor: 'c=', limit: 10 });
  await client.exportTrack('a', 'gpx');
  await client.nearbyDrivers({ ...place, limit: 3 });
  await client.nearbyTrips({ ...place, radiusMeters: 500 });
  await client.getDriverLocation('d');
  await client.putAvailability(true);
  await client.createRun();
  await client.postFixes({ run: 1, from: 1, fixes: [] });
  await client.getRoads({ west: -8.7, south: 41.1, east: -8.5, north: 41.2 }, { limit: 10 });
  await client.timelineOf('s', { limit: 5 });
  await client.exportAlert('s');
  await client.exportAlert('s', 'gpx');
  await client.createTicket();
  await client.getRealtimeStats();
  await client.listConnections('u');
  t.equal(await client.endConnection('u', 'node-1.7'), 'ended');
  t.equal(await client.signOutUser('u', { reason: 'banned' }), undefined);
  await client.postNotice('u', { title: 'Gate 4' });
  await client.listAlerts({ state: 'open', limit: 5 });
  const bbox = { west: -8.7, south: 41.1, east: -8.5, north: 41.2 };
  await client.listAlerts({ bbox, states: ['open', 'acknowledged'], text: 'a b', cursor: 'c' });
  await client.getAlert('s');
  await client.acknowledgeAlert('s');
  await client.claimAlert('s', { takeOver: true });
  await client.callPerson('s', { callId: 'c' });
  await client.noteAlert('s', { noteId: 'n', text: 'called back' });
  await client.resolveAlert('s', 'met her');
  await client.dismissAlert('s', 'by mistake');
  await client.raiseDrill('d');
  await client.listContacts();
  await client.listContactsOf('u');
  await client.getOnCall();
  await client.putSafety({ phone: '+15555550100' });
  await client.sendSafetyCode('sms');
  await client.checkSafetyCode({ channel: 'sms', code: '123456' });
  await client.getSafety();
  await client.cancelAlert('s', '4821');
  await client.seenAlert('s', 'sos.s.0123456789ab.1-1');
  t.equal(await client.removeContact('c/d'), undefined);
  await client.sendContactCode('c', 'sms');
  await client.checkContactCode('c', { channel: 'sms', code: '123456' });
  await client.putDevice('p', { platform: 'web', pushToken: 'token-of-this-phone' });
  t.equal(await client.removeDevice('p'), undefined);
  t.equal(await client.seenNotification('n'), undefined);
  await client.getNotificationPreferences();
  await client.putNotificationPreferences({ locale: 'en', timeZone: 'UTC', channelsOff: [], quietHours: null });
  t.equal(await client.signOut(), undefined);

  t.same(sent(), [
    'POST /v1/trips',
    'POST /v1/trips/a/start',
    'POST /v1/trips/a/end',
    'PUT /v1/trips/a/passengers',
    'GET /v1/trips/a%2Fb',
    'GET /v1/trips?q=%C3%A4%20b&state=active&limit=5',
    'GET /v1/trips',
    'GET /v1/trips/a/track?cursor=c%3D&limit=10',
    'GET /v1/trips/a/track?format=gpx',
    'GET /v1/drivers/nearby?lat=41&lng=-8&limit=3',
    'GET /v1/trips/nearby?lat=41&lng=-8&radiusMeters=500',
    'GET /v1/drivers/d/location',
    'PUT /v1/drivers/me/availability',
    'POST /v1/drivers/me/runs',
    'POST /v1/drivers/me/fixes',
    'GET /v1/map/roads?bbox=-8.7%2C41.1%2C-8.5%2C41.2&limit=10',
    'GET /v1/sos/s/timeline?limit=5',
    'GET /v1/sos/s/export',
    'GET /v1/sos/s/export.gpx',
    'POST /v1/realtime/tickets',
    'GET /v1/realtime/stats',
    'GET /v1/users/u/connections',
    'DELETE /v1/users/u/connections/node-1.7',
    'POST /v1/users/u/sign-out',
    'POST /v1/users/u/notices',
    'GET /v1/sos?state=open&limit=5',
    'GET /v1/sos?cursor=c&bbox=-8.7%2C41.1%2C-8.5%2C41.2&states=open%2Cacknowledged&text=a%20b',
    'GET /v1/sos/s',
    'POST /v1/sos/s/acknowledge',
    'POST /v1/sos/s/claim',
    'POST /v1/sos/s/call',
    'POST /v1/sos/s/note',
    'POST /v1/sos/s/resolve',
    'POST /v1/sos/s/false-alarm',
    'POST /v1/sos/drill',
    'GET /v1/users/me/contacts',
    'GET /v1/users/u/contacts',
    'GET /v1/on-call',
    'PUT /v1/users/me/safety',
    'POST /v1/users/me/safety/codes',
    'POST /v1/users/me/safety/codes/check',
    'GET /v1/users/me/safety',
    'POST /v1/sos/s/cancel',
    'POST /v1/sos/s/seen',
    'DELETE /v1/users/me/contacts/c%2Fd',
    'POST /v1/users/me/contacts/c/codes',
    'POST /v1/users/me/contacts/c/codes/check',
    'PUT /v1/devices/p',
    'DELETE /v1/devices/p',
    'POST /v1/notifications/n/seen',
    'GET /v1/users/me/notification-preferences',
    'PUT /v1/users/me/notification-preferences',
    'POST /v1/session/sign-out',
  ]);
  t.match(api.requests[0]?.headers, { authorization: 'Bearer token', 'idempotency-key': 'key-1' });
  t.same(JSON.parse(api.requests[0]?.body ?? ''), trip);
  t.equal(client.trackExportUrl('a', 'csv'), 'https://api.example/v1/trips/a/track?format=csv');
});

test('the holder of a link asks without a token', async (t) => {
  const { api, sent } = setUp();
  const { getShare } = createShareClient({ apiUrl: 'https://api.example', fetch: api.fetch });
  api.answers.push({ status: 200, body: { state: 'open' } }, problem(410, 'link_expired'));

  t.same(await getShare('secret'), { state: 'open' });
  await t.rejects(getShare('secret', { since: '2026-03-01T08:15:30.000Z' }), { code: 'link_expired', status: 410 });

  t.same(sent(), ['GET /v1/share/secret', 'GET /v1/share/secret?since=2026-03-01T08%3A15%3A30.000Z']);
  t.same(api.requests[0]?.headers, {});
});

test('of a connection that nobody knows of it is said that its end was ordered, not that it ended', async (t) => {
  const { api, client } = setUp();
  api.answers.push({ status: 204, body: '' }, { status: 202, body: null });
  t.equal(await client.endConnection('u', 'node-1.7'), 'ended');
  t.equal(await client.endConnection('u', 'node-1.7'), 'ordered');
});

test('a location answer carries its etag; 304 says that nothing moved', async (t) => {
  const { api, client, sent } = setUp();
  const body = { asOf: '2026-03-01T08:15:30.000Z', location: null };
  api.answers.push({ status: 200, body, headers: { etag: '"1-2"' } }, { status: 304, body: '' });

  const first = await client.getTripLocation('a');
  t.same(first, { isModified: true, etag: '"1-2"', ...body });
  const second = await client.getTripLocation('a', { etag: '"1-2"', waitSeconds: 25 });
  t.same(second, { isModified: false, etag: '"1-2"' });

  t.same(sent(), ['GET /v1/trips/a/location', 'GET /v1/trips/a/location?waitSeconds=25']);
  t.equal(api.requests[1]?.headers['if-none-match'], '"1-2"');
});

test('failures are problems with a code, a correlation id and what Retry-After says', async (t) => {
  const { api, client } = setUp();

  api.answers.push(problem(409, 'driver_busy'));
  await t.rejects(client.startTrip('a'), {
    name: 'HttpProblem',
    code: 'driver_busy',
    status: 409,
    correlationId: 'c-1',
    isRetryable: false,
  });
  api.answers.push(problem(503, 'redis_unavailable', { 'retry-after': '2' }));
  await t.rejects(client.getTrip('a'), { code: 'redis_unavailable', retryAfterMs: 2000, isRetryable: true });
  const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
  api.answers.push({ status: 502, body: '<html>', headers: { 'retry-after': inAnHour } });
  const gateway = await client.getTrip('a').catch((error: unknown) => error as { code: string; retryAfterMs: number });
  t.match(gateway, { code: 'unreadable', status: 502 });
  t.ok('retryAfterMs' in gateway && gateway.retryAfterMs > 3_500_000 && gateway.retryAfterMs <= 3_600_000);
  api.answers.push({ status: 200, body: '<html>' });
  await t.rejects(client.getTrip('a'), { code: 'unreadable' });
  api.answers.push(new Error('ECONNREFUSED'));
  await t.rejects(client.getTrip('a'), { code: 'unreachable', status: 0, cause: { message: 'ECONNREFUSED' } });
});

test('a request ends at its deadline or with its signal, against a server that hangs after its headers', async (t) => {
  const server = createServer((_request, response) => void response.writeHead(200).write('{'));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const hasty = createHttpClient({ apiUrl, getToken: () => 'token', timeoutMs: 50 });
  await t.rejects(hasty.getTrip('a'), { code: 'unreachable' });
  const patient = createHttpClient({ apiUrl, getToken: () => 'token' });
  const controller = new AbortController();
  const answer = patient.getTripLocation('a', { signal: controller.signal });
  controller.abort();

  await t.rejects(answer, { code: 'unreachable' });
});
