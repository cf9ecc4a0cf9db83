import type { ListAlertsReply } from '@hushryd/contracts/http/sos';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { press } from './sos-desk.ts';
import { asRider, createCollections, environmentOf, newId, operator, startTestApi } from './test-api.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const api = await startTestApi(t, environmentOf({ redis, mongo }));

const recordedAt = new Date().toISOString();
const porto = { lat: 41.15, lng: -8.61, recordedAt };
const lisbon = { lat: 38.72, lng: -9.14, recordedAt };
const aroundPorto = 'bbox=-8.7,41.1,-8.5,41.2';

async function raise(changes: Record<string, unknown>, rider = asRider(newId('rider'))): Promise<string> {
  const body = press(changes);
  await api.call('POST /v1/sos', { as: rider, body });
  return body.alertId;
}

async function list(query: string): Promise<string[]> {
  const { status, body } = await api.call<ListAlertsReply>(`GET /v1/sos?${query}`, { as: operator });
  t.equal(status, 200, query);
  return body.alerts.map(({ alertId }) => alertId);
}

t.test('the list takes the filter of the operators’ topic', async (t) => {
  const mover = asRider(newId('mover'));
  const north = await raise({ location: porto, tripId: 'trip-North' });
  const south = await raise({ location: lisbon });
  const nowhere = await raise({});
  const moved = await raise({ location: lisbon }, mover);
  await raise({ location: porto }, mover);
  const helped = await raise({ location: porto });
  await api.call(`POST /v1/sos/${north}/acknowledge`, { as: operator, body: {} });
  await api.call(`POST /v1/sos/${helped}/resolve`, { as: operator, body: { reason: 'helped' } });

  t.same(await list(aroundPorto), [moved, nowhere, north, helped], 'where the newest press was made, or nowhere');
  t.same(await list('states=acknowledged,resolved'), [north, helped]);
  t.same(await list('states=open,acknowledged'), [moved, nowhere, south, north]);
  t.same(await list(`states=open&${aroundPorto}`), [moved, nowhere]);
  t.same(await list('state=resolved'), [helped]);
  t.same(await list('text=TRIP-north'), [north]);
  t.same(await list(`text=${mover.userId.slice(3)}`), [moved]);
  t.same(await list(`text=${south}`), [south]);
  t.same(await list('text=helped'), [], 'what was written is sealed, and found by nobody');
});

t.test('a filter that nothing could fit is refused by name, with what to send instead', async (t) => {
  const table: [string, object][] = [
    ['bbox=1,2,3', { detail: /^bbox: send four numbers/ }],
    ['bbox=-8.5,41.2,-8.7,41.1', { detail: /^bbox: south lies above north/ }],
    ['states=open,opened', { detail: /^states: send some of open, acknowledged, resolved, false_alarm, cancelled$/ }],
    ['state=open&states=open', { detail: /^state, states: send one of both/ }],
    ['text=', { errors: [{ path: 'query/text' }] }],
    [`text=${'x'.repeat(65)}`, { errors: [{ path: 'query/text' }] }],
    ['states=open&states=resolved', { errors: [{ path: 'query/states' }] }],
    ['city=porto', { errors: [{ path: 'query/city' }] }],
  ];
  for (const [query, problem] of table) {
    const { status, body } = await api.call(`GET /v1/sos?${query}`, { as: operator });
    t.match({ status, body }, { status: 400, body: { code: 'request_invalid', ...problem } }, query);
  }
});

t.test('the description of the API names the filter', async (t) => {
  const { body } = await api.call<{ paths: Record<string, { get: { parameters: { name: string }[] } }> }>(
    'GET /openapi.json',
  );
  t.same(body.paths['/v1/sos']?.get.parameters.map(({ name }) => name).sort(), [
    'bbox',
    'cursor',
    'drills',
    'limit',
    'state',
    'states',
    'text',
  ]);
});
