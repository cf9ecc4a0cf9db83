import type { Problem } from '@hushryd/contracts/http/problem';
import type { RevocationsReply } from '@hushryd/contracts/http/sessions';
import type { Alert, SosReply } from '@hushryd/contracts/http/sos';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createRevocationStore, revocationsCollection } from '@hushryd/rides/people/revocation-store';
import { signOut, signOutEverywhere } from '@hushryd/rides/people/sign-out';
import { createRevocationPublisher } from '@hushryd/tracking/revocations/revocation-publisher';
import t from 'tap';
import { press } from './sos-desk.ts';
import {
  createCollections,
  environmentOf,
  expiredTokenOf,
  newId,
  operator,
  serviceToken,
  startTestApi,
  type TestApi,
} from './test-api.ts';

// A call for help is taken with a token that ran out within a day: also then not with one that was revoked.

const redis = await testRedis(t);
const mongo = await testMongo(t);
await createCollections(mongo.db);
await ensureCollections(mongo.db, [revocationsCollection]);
const environment = environmentOf({ redis, mongo });
const api = await startTestApi(t, environment);

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const settings = redis.settings();
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const hourMs = 3_600_000;
const store = createRevocationStore({ db: mongo.db });
const announced = createRevocationPublisher({ redis: connections.commands, keys: createKeys(settings) });
const unannounced = { publish: async () => false };
const agoWork = (agoMs: number, publisher = announced as Pick<typeof announced, 'publish'>) => ({
  store,
  publisher,
  log,
  now: () => Date.now() - agoMs,
});

const call = (of: TestApi, route: string, token: string, body: unknown) =>
  of.call<Problem & SosReply>(route, { headers: { authorization: `Bearer ${token}` }, body });
const raise = (of: TestApi, token: string, body = press()) => call(of, 'POST /v1/sos', token, body);
const isRefused = (of: TestApi, token: string) =>
  waitFor(async () => ((await raise(of, token)).body.code === 'token_revoked' ? true : undefined), {
    withinMs: 20_000,
    what: 'a node that knows of the sign-out',
  });

t.test('a token that ran out after its session was signed out does not call for help', async (t) => {
  const userId = newId('rider');
  const signedOut = expiredTokenOf('rider', userId, 50 * 60_000, 'tablet');
  const onlyExpired = expiredTokenOf('rider', userId, 50 * 60_000, 'phone');
  const raised = press();
  t.equal((await raise(api, onlyExpired, raised)).status, 201, 'before the sign-out');

  await signOut(agoWork(hourMs), { userId, tokenId: 'any', sessionId: 'tablet' });

  await isRefused(api, signedOut);
  const fixes = { run: 1, fixes: [] };
  const position = await call(api, `POST /v1/sos/${raised.alertId}/fixes`, signedOut, fixes);
  t.match([position.status, position.body.code], [401, 'token_revoked'], 'nor does it say where the person is');
  const other = await raise(api, onlyExpired);
  t.match([other.status, other.body.alertId], [201, raised.alertId], 'the person’s other phone does');
  const { body } = await api.call<Alert>(`GET /v1/sos/${raised.alertId}`, { as: operator });
  t.equal(body.isTokenExpired, true, 'and is marked');
});

t.test('whoever was banned does not for a day, on a node that starts after it too', async (t) => {
  const userId = newId('rider');
  const banned = expiredTokenOf('rider', userId, 23 * hourMs);
  await signOutEverywhere(agoWork(23 * hourMs, unannounced), { userId, reason: 'banned' });

  // It has nothing of it in Redis: what it knows is the truth.
  const late = await startTestApi(t, {
    ...environmentOf({ redis, mongo }),
    SOS_JOURNAL_DIR: `${environment.SOS_JOURNAL_DIR}-late`,
  });

  await isRefused(late, banned);
  t.equal((await raise(late, expiredTokenOf('rider', newId('rider'), 23 * hourMs))).status, 201);
});

t.test('a realtime node, which takes no token that has run out, is told of none that has', async (t) => {
  const [recent, old] = [newId('rider'), newId('rider')];
  await signOutEverywhere(agoWork(60_000, unannounced), { userId: recent, reason: 'banned' });
  await signOutEverywhere(agoWork(hourMs, unannounced), { userId: old, reason: 'banned' });

  const reply = await fetch(`${api.internalUrl}/internal/revocations`, {
    headers: { authorization: `Bearer ${serviceToken}` },
  });

  const told = ((await reply.json()) as RevocationsReply).revocations.map(({ userId }) => userId);
  t.ok(told.includes(recent));
  t.notOk(told.includes(old));
});
