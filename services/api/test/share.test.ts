import type { Problem } from '@hushryd/contracts/http/problem';
import type { ShareReply } from '@hushryd/contracts/http/share';
import type { SosReply } from '@hushryd/contracts/http/sos';
import { createTrailLinks } from '@hushryd/outreach/trail/trail-links';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { press } from './sos-desk.ts';
import {
  asRider,
  contactBody,
  createCollections,
  environmentOf,
  fixesFrom,
  newId,
  operator,
  startTestApi,
} from './test-api.ts';

// What a contact's link shows, and until when. The page that it opens, in a browser: infra/dev/test/trail.test.ts.

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
const environment = environmentOf({ redis, mongo });
const api = await startTestApi(t, environment);
const fieldKeys = toFieldKeys(environment);
const pageUrl = 'https://api.example/share.html';

const dayMs = 86_400_000;

function tokenFor(alertId: string, contactId: string, { ageMs = 0, keys = fieldKeys } = {}): string {
  const links = createTrailLinks({ pageUrl, fieldKeys: keys, now: () => Date.now() - ageMs });
  return links.trailUrlOf(alertId, contactId).split('#')[1] ?? '';
}

const share = (token: string, query = '') => api.call<ShareReply & Problem>(`GET /v1/share/${token}${query}`);

/** An alert of somebody with a sister, and the sister's link. */
async function raise(fixes = fixesFrom(1, 3)) {
  const rider = asRider(newId('rider'));
  await api.call('PUT /v1/users/me/contacts/sister', { as: rider, body: contactBody });
  const { body } = await api.call<SosReply>('POST /v1/sos', { as: rider, body: press({ note: 'white car' }) });
  const send = (more: typeof fixes) =>
    api.call(`POST /v1/sos/${body.alertId}/fixes`, { as: rider, body: { run: 7, fixes: more } });
  if (fixes.length > 0) await send(fixes);
  return { rider, alertId: body.alertId, token: tokenFor(body.alertId, 'sister'), send };
}

const close = (alertId: string) =>
  api.call(`POST /v1/sos/${alertId}/resolve`, { as: operator, body: { reason: 'helped' } });

t.test('a link shows state and trail without a login, and names nobody', async (t) => {
  const { rider, alertId, token, send } = await raise();

  const { status, headers, body } = await share(token);

  t.equal(status, 200);
  t.match(body, { state: 'open', isCoarse: undefined, points: { length: 3 } });
  t.match(body.mapUrl, /^https:.*\{lat\}.*\{lng\}/, 'a map for any browser');
  t.match(body.points[0], { source: 'person', lat: Number, accuracyMeters: 5 });
  t.notMatch(JSON.stringify(body), new RegExp(`${rider.userId}|${alertId}|Asha|white car|5555`));
  const lifeMs = Date.parse(body.expiresAt) - Date.now();
  t.ok(lifeMs > 0 && lifeMs <= dayMs);
  t.match(Object.fromEntries(headers), { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });

  const newest = body.points.at(-1)?.recordedAt ?? '';
  t.same((await share(token, `?since=${newest}`)).body.points, []);
  await send(fixesFrom(4, 1, { recordedAtMs: Date.parse(newest) + 500 }));
  // Many who look at once are answered from one reading, which is 1.5 s old at most.
  const later = await waitFor(
    async () => {
      const { points } = (await share(token, `?since=${newest}`)).body;
      return points.length > 0 ? points : undefined;
    },
    { withinMs: 10_000, what: 'the next place' },
  );
  t.match(later, [{ source: 'person', lat: fixesFrom(4, 1)[0]?.lat }]);
  await api.call(`POST /v1/sos/${alertId}/acknowledge`, { as: operator });
  t.match((await share(token)).body, { state: 'acknowledged', acknowledgedAt: String });
});

t.test('a link stops: not ours, run out, of somebody who is no contact any more', async (t) => {
  const { rider, alertId, token } = await raise([]);
  t.match((await share(token)).body, { state: 'open', points: [] });
  const codeOf = async (asked: string) => {
    const { status, body } = await share(asked);
    return [status, body.code];
  };

  const others = toFieldKeys(createTestFieldKeys());
  t.same(await codeOf(tokenFor(alertId, 'sister', { keys: others })), [404, 'not_found'], 'signed by somebody else');
  t.same(await codeOf(`${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`), [404, 'not_found'], 'changed');
  t.same(await codeOf('short'), [400, 'request_invalid']);
  t.same(await codeOf(tokenFor(alertId, 'sister', { ageMs: dayMs })), [410, 'link_expired'], 'a day old');
  t.same(await codeOf(tokenFor(alertId, 'stranger')), [410, 'link_expired'], 'never was a contact');
  t.same(await codeOf(tokenFor(press().alertId, 'sister')), [503, 'access_unavailable'], 'not stored yet');

  await api.call('DELETE /v1/users/me/contacts/sister', { as: rider });
  t.same(await codeOf(token), [410, 'link_expired'], 'removed');
});

t.test('when the alert has ended, so has the trail: roughly where, for half an hour, then nothing', async (t) => {
  const { alertId, token } = await raise(fixesFrom(1, 3, { lat: 41.156789, lng: -8.612345, headingDegrees: 10 }));
  t.equal((await share(token)).body.points.length, 3);

  await close(alertId);
  const ended = (await share(token)).body;
  t.match(ended, { state: 'ended', isCoarse: true, endedAt: String });
  const [point, ...rest] = ended.points;
  t.same(rest, []);
  t.same([point?.lat, point?.lng], [41.16, -8.61]);
  t.same([point?.accuracyMeters, point?.headingDegrees], [undefined, undefined]);
  t.ok(Date.parse(ended.expiresAt) - Date.parse(ended.endedAt ?? '') <= 1_800_000);

  const before = new Date(Date.now() - 1_800_001);
  const alerts = mongo.db.collection<{ _id: string }>('alerts');
  await alerts.updateOne({ _id: alertId }, { $set: { closedAt: before } });
  t.match(await share(token), { status: 410, body: { code: 'link_expired' } });
});

t.test('a link is asked no more often than it has to be', async (t) => {
  const { token } = await raise([]);
  const another = (await raise([])).token;
  const statuses: number[] = [];
  // Within one minute or the next: one of the two is full.
  for (let count = 0; count < 260 && !statuses.includes(429); count += 1) statuses.push((await share(token)).status);

  const refused = await share(token);
  t.match(refused, { status: 429, body: { code: 'too_many_requests' } });
  t.ok(Number(refused.headers.get('retry-after')) > 0);
  t.equal((await share(another)).status, 200, 'and the others are not');
});

t.test('the page is files of ours alone, and may do nothing but ask the api', async (t) => {
  const page = await api.call<string>('GET /share.html', { headers: { accept: 'text/html' } });
  t.equal(page.status, 200);
  const policy = page.headers.get('content-security-policy') ?? '';
  t.match(policy, /default-src 'none'/);
  t.notMatch(policy, /unsafe|https?:|\*/);
  t.match(Object.fromEntries(page.headers), { 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' });
  const files = [...page.body.matchAll(/(?:href|src)="(share\/[^"]+)"/g)].map(([, path]) => `/${path}`);
  t.equal(files.length, 2);
  for (const path of [...files, '/share/trail-view.js', '/share/words.js']) {
    const file = await api.call<string>(`GET ${path}`);
    t.equal(file.status, 200, path);
    t.notMatch(file.body.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|@import|url\(/, path);
  }
  t.notMatch(page.body, /<script(?![^>]*src=)|\son\w+=|style=/, 'nothing inline');
});
