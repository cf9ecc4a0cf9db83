import type { Problem } from '@hushryd/contracts/http/problem';
import type { ShareReply } from '@hushryd/contracts/http/share';
import type { Alert, SosReply } from '@hushryd/contracts/http/sos';
import { createTrailLinks } from '@hushryd/outreach/trail/trail-links';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { press } from './sos-desk.ts';
import {
  asRider,
  type Call,
  contactBody,
  createCollections,
  environmentOf,
  newId,
  operator,
  startTestApi,
} from './test-api.ts';

// Which PIN ends which alert, and what is seen of it by whom.

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const environment = environmentOf({ redis, mongo });
const api = await startTestApi(t, environment);

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

t.test(
  'a duress cancel of an acknowledged alert: nobody has it any more, and no phone or link shows why',
  async (t) => {
    const links = createTrailLinks({ pageUrl: 'https://api.example/share.html', fieldKeys: toFieldKeys(environment) });
    const seen = async (pin: string) => {
      const rider = asRider(newId('rider'));
      await setPins(rider, pins);
      await api.call('PUT /v1/users/me/contacts/sister', { as: rider, body: contactBody });
      const alertId = await raise(rider);
      await api.call(`POST /v1/sos/${alertId}/claim`, { as: operator, body: {} });
      await api.call(`POST /v1/sos/${alertId}/acknowledge`, { as: operator });
      const before = (await api.call<Alert>(`GET /v1/sos/${alertId}`, { as: rider })).body;
      t.ok(before.acknowledgedAt !== undefined, 'until then the phone shows that somebody has it');
      const answer = (await cancel(rider, alertId, pin)).body;
      const token = links.trailUrlOf(alertId, 'sister').split('#')[1];
      return {
        answer,
        person: (await api.call<Alert>(`GET /v1/sos/${alertId}`, { as: rider })).body,
        staff: (await api.call<Alert>(`GET /v1/sos/${alertId}`, { as: operator })).body,
        share: (await api.call<ShareReply>(`GET /v1/share/${token}`)).body,
      };
    };

    const [duress, real] = [await seen(pins.duress), await seen(pins.cancel)];

    t.match(duress.staff, { state: 'open', isDuress: true, acknowledgedBy: undefined, acknowledgedAt: undefined });
    const { claimedAt = '', duressAt = '' } = duress.staff;
    t.ok(Date.parse(duressAt) > Date.parse(claimedAt), 'the desk sees that it came after the claim');
    t.match(duress.share, { state: 'open', acknowledgedAt: undefined }, 'nobody of the team has it');
    const keys = (shown: object) => Object.keys(shown).toSorted();
    for (const view of ['answer', 'person'] as const) {
      t.match(duress[view], { state: 'cancelled', closedAt: String });
      t.same(keys(duress[view]), keys(real[view]), 'both look alike on the phone');
    }
    for (const shown of [duress.answer, duress.person, duress.share]) t.notMatch(JSON.stringify(shown), /duress/i);
  },
);
