import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { createFakeClock } from '@hushryd/platform/testing/clock';
import { testMongo } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { createRevocationStore, type RevocationDocument, revocationsCollection } from './revocation-store.ts';

const mongo = await testMongo(t);
await ensureCollections(mongo.db, [revocationsCollection]);
const documents = mongo.db.collection<RevocationDocument>('revocations');
const store = createRevocationStore({ db: mongo.db });
// TTL runs on the server's clock: what is to stay has to be of today.
const clock = createFakeClock(Date.now());

t.test('the version goes on rising after the record of an earlier sign-out was forgotten', async (t) => {
  const signOut = (tokenId: string) => store.revokeSession({ userId: 'rita', tokenId, nowMs: clock.now() });
  const first = await signOut('one');
  const second = await signOut('two');
  t.ok(second.version > first.version, 'also within a millisecond');

  await documents.deleteOne({ _id: 'rita' });
  clock.advance(25 * 3_600_000);
  const third = await signOut('three');
  t.ok(third.version > second.version);
  t.strictSame(third.tokenIds, ['three']);
  const banned = await store.revokeAll({ userId: 'rita', reason: 'banned', nowMs: clock.now() });
  t.ok(banned.version > third.version);

  clock.advance(-30_000);
  t.ok((await signOut('four')).version > banned.version, 'by a clock that is behind, too');
});

t.test('signing out again adds nothing', async (t) => {
  for (const tokenId of ['same', 'same', '$other', 'same']) {
    await store.revokeSession({ userId: 'rosa', tokenId, nowMs: clock.now() });
  }
  const [rosa] = (await store.inForce({ nowMs: clock.now() })).filter(({ userId }) => userId === 'rosa');
  t.match(rosa, { tokenIds: ['same', '$other'], issuedBeforeMs: 0, reason: 'signed_out' });
  t.equal(rosa?.tokenIds.length, 2);
});

t.test('one token more than a record names ends all of the user: none becomes valid again', async (t) => {
  const signOut = (n: number) => store.revokeSession({ userId: 'ruth', tokenId: `token-${n}`, nowMs: clock.now() });
  let last = await signOut(1);
  for (let n = 2; n <= 50; n += 1) last = await signOut(n);
  t.match(last, { issuedBeforeMs: 0 });
  t.equal(last.tokenIds.length, 50);

  const over = await signOut(51);
  t.match(over, { issuedBeforeMs: clock.now(), tokenIds: ['token-51'], reason: 'role_changed' });
  t.match(await signOut(52), { issuedBeforeMs: clock.now(), tokenIds: ['token-51', 'token-52'] });
});

t.test('a session is named by its id, once for all of its tokens, and is as bounded as tokens are', async (t) => {
  const signOut = (tokenId: string, sessionId: string) =>
    store.revokeSession({ userId: 'rolf', tokenId, sessionId, nowMs: clock.now() });
  await store.revokeSession({ userId: 'rolf', tokenId: 'nameless', nowMs: clock.now() });
  await signOut('one', 'session-1');
  const twice = await signOut('two', 'session-1');
  t.match(twice, { tokenIds: ['nameless'], sessionIds: ['session-1'], issuedBeforeMs: 0 });
  t.equal(twice.sessionIds?.length, 1);

  const sessionIds = Array.from({ length: 50 }, (_, n) => `session-${n + 1}`);
  await documents.updateOne({ _id: 'rolf' }, { $set: { sessionIds } });
  const over = await signOut('any', 'session-51');
  t.match(over, { issuedBeforeMs: clock.now(), reason: 'role_changed' });
  t.strictSame([over.tokenIds, over.sessionIds], [['nameless'], ['session-51']]);
  const all = await store.revokeAll({ userId: 'rolf', reason: 'role_changed', nowMs: clock.now() });
  t.strictSame([all.tokenIds, all.sessionIds], [[], ['session-51']], 'no later token makes that session valid again');
});

t.test('many at once for one user: all are kept', async (t) => {
  const tokenIds = Array.from({ length: 20 }, (_, n) => `token-${n}`);
  await Promise.all(tokenIds.map((tokenId) => store.revokeSession({ userId: 'rhea', tokenId, nowMs: clock.now() })));
  const [rhea] = (await store.inForce({ nowMs: clock.now() })).filter(({ userId }) => userId === 'rhea');
  t.strictSame(new Set(rhea?.tokenIds), new Set(tokenIds));
});
