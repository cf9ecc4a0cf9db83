import type { SosReply } from '@hushryd/contracts/http/sos';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import Fastify from 'fastify';
import t from 'tap';
import type { ApiServer } from '../src/api-server.ts';
import { addRouteRules } from '../src/plugins/route-rules.ts';
import { press } from './sos-desk.ts';
import {
  asDriver,
  asRider,
  contactBody,
  createCollections,
  environmentOf,
  fixesFrom,
  newId,
  onCallBody,
  operator,
  serviceToken,
  startNewTrip,
  startTestApi,
  type TestApi,
  tripBody,
} from './test-api.ts';

/**
 * Who may call what. Own: the trip's driver and passenger. Each row gives the status for
 * [own driver, other driver, own rider, other rider, operator, nobody], on a trip under way and, where it differs, on one that has ended.
 */
type Statuses = [number, number, number, number, number, number];
interface Row {
  path?: (ids: { tripId: string; driverId: string }) => string;
  body?: (ids: { tripId: string; driverId: string }) => unknown;
  live: Statuses;
  ended?: Statuses;
}

const onTrip = (suffix: string) => ({
  path: ({ tripId }: { tripId: string }) => `/v1/trips/${tripId}${suffix}`,
});

const onAlert = (suffix: string) => ({ path: () => `/v1/sos/${alertId}${suffix}` });

const matrix: Record<string, Row> = {
  'POST /v1/trips': { body: ({ driverId }) => tripBody({ driverId }), live: [201, 403, 403, 403, 201, 401] },
  'GET /v1/trips': { live: [403, 403, 403, 403, 200, 401] },
  'GET /v1/trips/nearby': { path: () => '/v1/trips/nearby?lat=1&lng=1', live: [403, 403, 403, 403, 200, 401] },
  'GET /v1/trips/{id}': { ...onTrip(''), live: [200, 404, 200, 404, 200, 401] },
  'POST /v1/trips/{id}/start': {
    ...onTrip('/start'),
    live: [200, 404, 403, 403, 200, 401],
    ended: [409, 404, 403, 403, 409, 401],
  },
  'PUT /v1/trips/{id}/passengers': {
    ...onTrip('/passengers'),
    // Operators come last but one: with the list they set, the rider of the trip stays on it.
    body: () => ({ passengerIds: ['paula'] }),
    live: [200, 404, 403, 403, 200, 401],
    ended: [409, 404, 403, 403, 409, 401],
  },
  'GET /v1/trips/{id}/location': { ...onTrip('/location'), live: [200, 404, 200, 404, 200, 401] },
  'GET /v1/trips/{id}/events': {
    ...onTrip('/events'),
    live: [200, 404, 200, 404, 200, 401],
    ended: [404, 404, 404, 404, 200, 401],
  },
  'GET /v1/trips/{id}/track': { ...onTrip('/track'), live: [200, 404, 200, 404, 200, 401] },
  'POST /v1/trips/{id}/end': { ...onTrip('/end'), live: [200, 404, 403, 403, 200, 401] },
  'GET /v1/drivers/nearby': { path: () => '/v1/drivers/nearby?lat=1&lng=1', live: [403, 403, 200, 200, 200, 401] },
  'GET /v1/drivers/{id}/location': {
    path: ({ driverId }) => `/v1/drivers/${driverId}/location`,
    live: [200, 404, 403, 403, 200, 401],
  },
  'PUT /v1/drivers/me/availability': { body: () => ({ available: true }), live: [200, 200, 403, 403, 403, 401] },
  'POST /v1/drivers/me/runs': { body: () => ({}), live: [200, 200, 403, 403, 403, 401] },
  'POST /v1/drivers/me/fixes': {
    body: () => ({ run: 1, from: 1, fixes: [] }),
    live: [200, 200, 403, 403, 403, 401],
  },
  'GET /v1/map/roads': { path: () => '/v1/map/roads?bbox=1,1,2,2', live: [403, 403, 403, 403, 200, 401] },
  'POST /v1/realtime/tickets': { live: [201, 201, 201, 201, 201, 401] },
  'GET /v1/realtime/stats': { live: [403, 403, 403, 403, 200, 401] },
  'POST /v1/session/sign-out': { live: [204, 204, 204, 204, 204, 401] },
  'POST /v1/users/{id}/sign-out': {
    path: () => '/v1/users/somebody/sign-out',
    body: () => ({}),
    live: [403, 403, 403, 403, 204, 401],
  },
  'GET /v1/users/{id}/connections': {
    path: () => '/v1/users/somebody/connections',
    live: [403, 403, 403, 403, 200, 401],
  },
  'DELETE /v1/users/{id}/connections/{connectionId}': {
    path: () => '/v1/users/somebody/connections/node.1',
    live: [403, 403, 403, 403, 404, 401],
  },
  'POST /v1/users/{id}/notices': {
    path: () => '/v1/users/somebody/notices',
    body: () => ({ title: 'Hello' }),
    live: [403, 403, 403, 403, 201, 401],
  },
  'POST /v1/sos': { body: () => press(), live: [201, 201, 201, 201, 201, 401] },
  'POST /v1/sos/drill': { body: () => ({ alertId: press().alertId }), live: [201, 201, 201, 201, 403, 401] },
  'GET /v1/sos': { live: [403, 403, 403, 403, 200, 401] },
  // The own rider has raised the alert.
  'GET /v1/sos/{id}': { ...onAlert(''), live: [404, 404, 200, 404, 200, 401] },
  'GET /v1/sos/{id}/timeline': { ...onAlert('/timeline'), live: [403, 403, 403, 403, 200, 401] },
  'GET /v1/sos/{id}/export': { ...onAlert('/export'), live: [403, 403, 403, 403, 200, 401] },
  'GET /v1/sos/{id}/export.gpx': { ...onAlert('/export.gpx'), live: [403, 403, 403, 403, 200, 401] },
  'POST /v1/sos/{id}/fixes': {
    ...onAlert('/fixes'),
    body: () => ({ run: 1, fixes: fixesFrom(1, 1) }),
    live: [404, 404, 200, 404, 404, 401],
  },
  'GET /v1/sos/{id}/trail': { ...onAlert('/trail'), live: [404, 404, 200, 404, 200, 401] },
  // What a genuine token opens: share.test.ts.
  'GET /v1/share/{token}': { path: () => `/v1/share/${'a'.repeat(71)}`, live: [404, 404, 404, 404, 404, 404] },
  // Nobody here was sent a push. Who was may say so: notifications.test.ts.
  'POST /v1/sos/{id}/seen': {
    ...onAlert('/seen'),
    body: () => ({ attemptId: `sos.${alertId}.0123456789ab.1-1` }),
    live: [404, 404, 404, 404, 404, 401],
  },
  'POST /v1/sos/{id}/cancel': {
    ...onAlert('/cancel'),
    body: () => ({ pin: '1234' }),
    live: [404, 404, 409, 404, 403, 401],
  },
  'POST /v1/sos/{id}/acknowledge': { ...onAlert('/acknowledge'), live: [403, 403, 403, 403, 200, 401] },
  'POST /v1/sos/{id}/claim': { ...onAlert('/claim'), body: () => ({}), live: [403, 403, 403, 403, 200, 401] },
  // Nobody here has a verified number.
  'POST /v1/sos/{id}/call': { ...onAlert('/call'), body: () => ({}), live: [403, 403, 403, 403, 409, 401] },
  'POST /v1/sos/{id}/note': {
    ...onAlert('/note'),
    body: () => ({ noteId: newId('note'), text: 'on the phone' }),
    live: [403, 403, 403, 403, 200, 401],
  },
  'POST /v1/sos/{id}/resolve': {
    ...onAlert('/resolve'),
    body: () => ({ reason: 'helped' }),
    live: [403, 403, 403, 403, 200, 401],
  },
  'POST /v1/sos/{id}/false-alarm': {
    ...onAlert('/false-alarm'),
    body: () => ({ reason: 'pocket' }),
    live: [403, 403, 403, 403, 409, 401],
  },
  'GET /v1/users/me/contacts': { live: [200, 200, 200, 200, 403, 401] },
  'PUT /v1/users/me/contacts/{contactId}': {
    path: () => '/v1/users/me/contacts/sister',
    body: () => contactBody,
    live: [201, 201, 201, 201, 403, 401],
    // The rider is the same one, and has the contact.
    ended: [201, 201, 200, 201, 403, 401],
  },
  'POST /v1/users/me/contacts/{contactId}/codes': {
    path: () => '/v1/users/me/contacts/sister/codes',
    body: () => ({ channel: 'sms' }),
    // The others were just made up, and have no contacts.
    live: [404, 404, 202, 404, 403, 401],
    // No second code so soon.
    ended: [404, 404, 429, 404, 403, 401],
  },
  'POST /v1/users/me/contacts/{contactId}/codes/check': {
    path: () => '/v1/users/me/contacts/sister/codes/check',
    body: () => ({ channel: 'email', code: '000000' }),
    live: [404, 404, 400, 404, 403, 401],
  },
  'DELETE /v1/users/me/contacts/{contactId}': {
    path: () => '/v1/users/me/contacts/brother',
    live: [204, 204, 204, 204, 403, 401],
  },
  'GET /v1/users/{id}/contacts': {
    path: () => '/v1/users/paula/contacts',
    live: [403, 403, 403, 403, 200, 401],
  },
  'GET /v1/users/me/safety': { live: [200, 200, 200, 200, 403, 401] },
  'PUT /v1/users/me/safety': { body: () => ({ locale: 'hi' }), live: [200, 200, 200, 200, 403, 401] },
  'POST /v1/users/me/safety/codes': { body: () => ({ channel: 'sms' }), live: [404, 404, 404, 404, 403, 401] },
  'POST /v1/users/me/safety/codes/check': {
    body: () => ({ channel: 'sms', code: '000000' }),
    live: [404, 404, 404, 404, 403, 401],
  },
  'DELETE /v1/users/{id}/safety/pins': {
    path: () => '/v1/users/paula/safety/pins',
    live: [403, 403, 403, 403, 204, 401],
  },
  'PUT /v1/devices/{id}': {
    path: () => '/v1/devices/phone',
    body: () => ({ platform: 'web', pushToken: newId('token-of-this-phone') }),
    live: [200, 200, 200, 200, 200, 401],
  },
  'DELETE /v1/devices/{id}': { path: () => '/v1/devices/phone', live: [204, 204, 204, 204, 204, 401] },
  'GET /v1/on-call': { live: [403, 403, 403, 403, 200, 401] },
  'PUT /v1/on-call': { body: () => onCallBody(9), live: [403, 403, 403, 403, 409, 401] },
  'PUT /v1/on-call/overrides/{overrideId}': {
    path: () => '/v1/on-call/overrides/holiday',
    body: () => ({ level: 0, personIds: ['nobody'], from: '2026-03-01T08:00:00Z', until: '2026-03-02T08:00:00Z' }),
    live: [403, 403, 403, 403, 400, 401],
  },
  'DELETE /v1/on-call/overrides/{overrideId}': {
    path: () => '/v1/on-call/overrides/holiday',
    live: [403, 403, 403, 403, 200, 401],
  },
  'GET /v1/notifications': { path: () => '/v1/notifications?state=failed', live: [403, 403, 403, 403, 200, 401] },
  'POST /v1/notifications/{id}/redrive': {
    path: () => '/v1/notifications/unknown/redrive',
    live: [403, 403, 403, 403, 404, 401],
  },
  'POST /v1/notifications/{id}/seen': {
    path: () => '/v1/notifications/unknown/seen',
    live: [404, 404, 404, 404, 404, 401],
  },
  'GET /v1/users/me/notification-preferences': { live: [200, 200, 200, 200, 200, 401] },
  'PUT /v1/users/me/notification-preferences': {
    body: () => ({ locale: 'en', timeZone: 'Asia/Kolkata', channelsOff: [], quietHours: null }),
    live: [200, 200, 200, 200, 200, 401],
  },
  'GET /v1/providers/scorecards': { live: [403, 403, 403, 403, 200, 401] },
  'GET /health/live': { live: [200, 200, 200, 200, 200, 200] },
  'GET /health/ready': { live: [200, 200, 200, 200, 200, 200] },
  'GET /health': { live: [200, 200, 200, 200, 200, 200] },
  'GET /openapi.json': { live: [200, 200, 200, 200, 200, 200] },
};

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const api = await startTestApi(t, environmentOf({ redis, mongo }), { sendOtp: async () => undefined });

const rider = asRider('paula');
let alertId = '';
const actorsOf = (driverId: string) =>
  [
    ['own driver', asDriver(driverId)],
    ['other driver', asDriver(newId('driver'))],
    ['own rider', rider],
    ['other rider', asRider(newId('rider'))],
    ['operator', operator],
    ['nobody', undefined],
  ] as const;

t.test('every route has a row', async (t) => {
  t.same((await routesOf(api)).toSorted(), Object.keys(matrix).toSorted());
});

t.test('a route that does not say who may call it stops the start', async (t) => {
  const app: ApiServer = Fastify();
  addRouteRules(app, {
    tokens: {
      verify: () => t.bailout('nobody asks') as never,
      verifyGenuine: () => t.bailout('nobody asks') as never,
    },
    revocations: { assertValid: () => undefined },
    deadlineMs: 1_000,
    openPrefix: '/docs',
  });

  t.throws(() => app.get('/v1/open', async () => 'to all'), /does not say who may call it/);
});

for (const state of ['live', 'ended'] as const) {
  t.test(`who may call what, on a trip that is ${state}`, async (t) => {
    alertId = (await api.call<SosReply>('POST /v1/sos', { as: rider, body: press() })).body.alertId;
    for (const [route, row] of Object.entries(matrix)) {
      const trip = await startNewTrip(api, { passengerIds: [rider.userId] });
      if (state === 'ended') await api.call(`POST /v1/trips/${trip.tripId}/end`, { as: operator });
      const [method, pattern] = route.split(' ') as [string, string];
      const path = row.path?.(trip) ?? pattern;

      const statuses: number[] = [];
      for (const [, as] of actorsOf(trip.driverId)) {
        const body = row.body?.(trip);
        statuses.push((await api.call(`${method} ${path}`, { as, ...(body !== undefined && { body }) })).status);
      }
      t.same(statuses, state === 'ended' ? (row.ended ?? row.live) : row.live, route);
    }
  });
}

t.test('drivers and passengers see no more of each other than they need', async (t) => {
  const trip = await startNewTrip(api, { passengerIds: ['paula', 'quirin'] });
  const route = `GET /v1/trips/${trip.tripId}`;
  const seenBy = async (as: { role: 'driver' | 'rider' | 'operator'; userId: string }) =>
    (await api.call<{ passengerIds: string[] }>(route, { as })).body.passengerIds;

  t.same(await seenBy(asDriver(trip.driverId)), ['paula', 'quirin']);
  t.same(await seenBy(rider), ['paula']);
  await api.call(`POST /v1/trips/${trip.tripId}/end`, { as: operator });
  t.same(await seenBy(asDriver(trip.driverId)), []);
  t.same(await seenBy(operator), ['paula', 'quirin']);
});

t.test('the internal listener is for the service token alone', async (t) => {
  const trip = await startNewTrip(api);
  const ask = (authorization?: string, body: unknown = { tripIds: [trip.tripId, 'nobody'] }) =>
    fetch(`${api.internalUrl}/internal/trip-access`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body: JSON.stringify(body),
    });

  for (const wrong of [undefined, 'Bearer ', `Bearer ${serviceToken}x`, serviceToken]) {
    t.equal((await ask(wrong)).status, 401);
  }
  const reply = await ask(`Bearer ${serviceToken}`);
  t.equal(reply.status, 200);
  t.match(await reply.json(), {
    records: [{ tripId: trip.tripId, driverId: trip.driverId, state: 'active', version: 2 }],
    unknown: ['nobody'],
  });
  t.equal((await ask(`Bearer ${serviceToken}`, { tripIds: [] })).status, 400);
  t.equal((await fetch(`${api.internalUrl}/v1/trips`)).status, 401, 'and knows no other routes');
});

/** Every route by its place in the description; the reference page and preflights have none. */
async function routesOf({ call }: TestApi): Promise<string[]> {
  const { body } = await call<{ paths: Record<string, Record<string, unknown>> }>('GET /openapi.json');
  return Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'head')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
}
