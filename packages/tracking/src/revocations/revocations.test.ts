import type { Revocation } from '@hushryd/contracts/http/sessions';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import type { Identity } from '@hushryd/platform/auth/claims';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createFakeClock } from '@hushryd/platform/testing/clock';
import { testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import type { OnAccessNews } from '../access-log/access-follower.ts';
import { type AccessNews, createAccessLogReader } from '../access-log/access-log.ts';
import { createRevocationPublisher } from './revocation-publisher.ts';
import { createRevocations } from './revocations.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const settings = (await testRedis(t)).settings({ partitions: 2 });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
let keyspaces = 0;

const lifeMs = 16 * 60_000;
const identityOf = (userId: string, tokenId: string, issuedAtMs = 0): Identity => ({
  userId,
  tokenId,
  issuedAtMs,
  role: 'rider',
  expiresAtMs: Number.MAX_SAFE_INTEGER,
  audience: 'user',
});

/** One node's revocations, which looks when told to. */
function createStage() {
  keyspaces += 1;
  const keys = createKeys({ ...settings, prefix: `${settings.prefix}${keyspaces}:` });
  const clock = createFakeClock(Date.now());
  const publisher = createRevocationPublisher({ redis, keys });
  const reader = createAccessLogReader({ redis, keys });
  const told: Revocation[] = [];
  const truth = { asked: 0, isAway: false, revocations: [] as Revocation[] };
  let tell: OnAccessNews = () => undefined;
  let isUserUnreadable = false;
  const steady = redis as unknown as Record<'hgetall' | 'hget', (...of: string[]) => Promise<unknown>>;
  const revocations = createRevocations({
    redis: {
      hgetall: (key: string) => steady.hgetall(key),
      hget: (key: string, field: string) =>
        isUserUnreadable ? Promise.reject(new Error('a slot that moved')) : steady.hget(key, field),
    } as unknown as RedisClient,
    keys,
    follower: { follow: (onNews) => (tell = onNews) },
    async readTruth() {
      truth.asked += 1;
      if (truth.isAway) throw new Error('the api is away');
      return truth.revocations;
    },
    onRevoked: (revocation) => told.push(revocation),
    log,
    now: clock.now,
  });
  const revocationOf = (changes: Partial<Revocation>): Revocation => ({
    userId: 'rita',
    version: 1,
    issuedBeforeMs: 0,
    tokenIds: [],
    reason: 'signed_out',
    expiresAtMs: clock.now() + lifeMs,
    ...changes,
  });
  return {
    keys,
    clock,
    truth,
    told: () => told.splice(0).map(({ tokenIds }) => tokenIds.join()),
    publish: (changes: Partial<Revocation>) => publisher.publish(revocationOf(changes)),
    revocationOf,
    async look(failures: AccessNews['failures'] = new Map()) {
      const news = await reader.read();
      await tell({ ...news, failures: new Map([...news.failures, ...failures]) }, clock.now());
    },
    breakUsers: (isBroken: boolean) => {
      isUserUnreadable = isBroken;
    },
    refusalOf(identity: Identity, options?: { mustBeFresh: boolean }): string {
      try {
        revocations.assertValid(identity, options);
        return 'valid';
      } catch (error) {
        return (error as { code: string }).code;
      }
    },
  };
}

t.test('newer versions win, older ones change nothing', async (t) => {
  const { publish, look, told, refusalOf } = createStage();
  await look();
  t.equal(await publish({ version: 2, tokenIds: ['one', 'two'] }), true);
  await look();
  t.strictSame(told(), ['one,two']);
  t.equal(await publish({ version: 2, tokenIds: ['never'] }), false);
  t.equal(await publish({ version: 1, tokenIds: ['one'] }), false);
  await look();
  t.strictSame(told(), []);
  t.equal(refusalOf(identityOf('rita', 'two')), 'token_revoked');
  t.equal(refusalOf(identityOf('rita', 'three')), 'valid');
});

t.test('what has run out is as good as forgotten, whatever its version was', async (t) => {
  const { publish, look, told, clock, refusalOf, revocationOf, truth } = createStage();
  await look();
  await publish({ version: 9, tokenIds: ['old'], expiresAtMs: clock.now() - 1 });
  t.equal(await publish({ version: 1, tokenIds: ['new'] }), true, 'Redis holds one that has run out');
  await look();
  t.strictSame(told(), ['new']);

  // The same in a node's memory, which forgets nothing by itself; the truth begins to count again.
  truth.revocations = [revocationOf({ userId: 'rosa', version: 5, tokenIds: ['old'] })];
  await look(new Map([[0, new Error('away')]]));
  clock.advance(lifeMs + 1);
  truth.revocations = [revocationOf({ userId: 'rosa', version: 1, tokenIds: ['new'] })];
  await look(new Map([[0, new Error('away')]]));
  t.strictSame(told(), ['old', 'new']);
  t.equal(refusalOf(identityOf('rosa', 'new')), 'token_revoked');
});

t.test('a node that could not read a changed user does not know, and asks the truth', async (t) => {
  const { publish, look, clock, keys, refusalOf, breakUsers, truth, revocationOf } = createStage();
  const other = ['a', 'b', 'c', 'd', 'e', 'f'].find(
    (userId) => keys.topicPartition(userTopic(userId)) !== keys.topicPartition(userTopic('rita')),
  ) as string;
  const isFresh = { mustBeFresh: true };
  await look();
  t.equal(refusalOf(identityOf('rita', 'one'), isFresh), 'valid');

  breakUsers(true);
  await publish({ version: 2, tokenIds: ['one'] });
  await look();
  t.equal(truth.asked, 1, 'as where Redis is away');
  truth.revocations = [revocationOf({ version: 2, tokenIds: ['one'] })];
  clock.advance(2_000);
  await look();
  t.equal(refusalOf(identityOf('rita', 'one')), 'token_revoked');

  // Nobody answers, neither Redis nor the truth.
  truth.isAway = true;
  await publish({ version: 3, tokenIds: ['one', 'two'] });
  for (let waitedMs = 0; waitedMs <= 6_000; waitedMs += 1_000) {
    clock.advance(1_000);
    await look().catch(() => undefined);
  }
  t.equal(refusalOf(identityOf('rita', 'two'), isFresh), 'access_unavailable');
  t.equal(refusalOf(identityOf(other, 'one'), isFresh), 'valid', 'the other partition is known');

  breakUsers(false);
  await look();
  t.equal(refusalOf(identityOf('rita', 'two'), isFresh), 'token_revoked');
  t.equal(refusalOf(identityOf('rita', 'three'), isFresh), 'valid');
});
