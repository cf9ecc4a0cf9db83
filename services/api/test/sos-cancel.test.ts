import type { Problem } from '@hushryd/contracts/http/problem';
import type { Alert, SosReply } from '@hushryd/contracts/http/sos';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { press } from './sos-desk.ts';
import { asRider, type Call, createCollections, environmentOf, newId, operator, startTestApi } from './test-api.ts';

// Which PIN ends which alert.

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const api = await startTestApi(t, environmentOf({ redis, mongo }));

const pins = { cancel: '2580', duress: '8520' };
const raise = async (as: Call['as']) => (await api.call<SosReply>('POST /v1/sos', { as, body: press() })).body.alertId;
const setPins = (as: Call['as'], wish: Record<string, string>) =>
  api.call('PUT /v1/users/me/safety', { as, body: { pins: wish } });
const cancel = (as: Call['as'], alertId: string, pin: string) =>
  api.call<Alert & Problem>(`POST /v1/sos/${alertId}/cancel`, { as, body: { pin } });
const stateOf = async (alertId: string) =>
  (await api.call<Alert>(`GET /v1/sos/${alertId}`, { as: operator })).body.state;

t.test('PINs that were set after the press do not end it: whoever holds the phone may have set them', async (t) => {
  const rider = asRider(newId('rider'));
  const alertId = await raise(rider);
  t.equal((await setPins(rider, pins)).status, 200);

  for (const pin of [pins.cancel, pins.duress]) {
    const { status, body } = await cancel(rider, alertId, pin);
    t.match([status, body.code], [403, 'sos_pin_refused']);
  }
  t.equal(await stateOf(alertId), 'open');
  const again = await api.call<SosReply>('POST /v1/sos', { as: rider, body: press() });
  t.equal(again.body.alertId, alertId);
  t.equal((await cancel(rider, alertId, pins.cancel)).status, 403, 'nor after another press');
  const ended = await api.call(`POST /v1/sos/${alertId}/resolve`, { as: operator, body: { reason: 'a mistake' } });
  t.equal(ended.status, 200, 'an operator can end it');

  const next = await raise(rider);
  t.match(await cancel(rider, next, pins.cancel), { status: 200, body: { state: 'cancelled' } });
});

t.test('nor do PINs that were changed after it, while those that stayed do', async (t) => {
  const [changing, staying] = [asRider(newId('rider')), asRider(newId('rider'))];
  for (const rider of [changing, staying]) await setPins(rider, pins);
  const [changed, stayed] = [await raise(changing), await raise(staying)];

  t.equal((await setPins(changing, { cancel: '1470', duress: '7410', current: pins.cancel })).status, 200);
  // With the duress PIN it only looks as if they changed.
  t.equal((await setPins(staying, { cancel: '1470', duress: '7410', current: pins.duress })).status, 200);

  for (const pin of ['1470', pins.cancel]) t.equal((await cancel(changing, changed, pin)).status, 403);
  t.equal(await stateOf(changed), 'open');
  t.equal((await cancel(staying, stayed, '1470')).status, 403);
  t.equal((await cancel(staying, stayed, pins.cancel)).status, 200);
});
