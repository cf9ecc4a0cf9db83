import type { Revocation } from '@hushryd/contracts/http/sessions';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import type { Identity } from '@hushryd/platform/auth/claims';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { markFilled } from '@hushryd/platform/redis/layout';
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
async function createStage({ isFilled = true } = {}) {
  keyspaces += 1;
  const keys = createKeys({ ...settings, prefix: `${settings.prefix}${keyspaces}:` });
  const fill = () => markFilled({ redis, keys });
  if (isFilled) await fill();
  const clock = createFakeClock(Date.now());
  const publisher = createRevocationPublisher({ redis, keys });
  const reader = createAccessLogReader({ redis, keys, now: clock.now });
  const told: Revocation[] = [];
  const truth = { asked: 0, isAway: false, revocations: [] as Revocation[], sinceMs: [] as (number | undefined)[] };
  let tell: OnAccessNews = () => undefined;
  let isUserUnreadable = false;
  const steady = redis as unknown as Record<'hgetall' | 'hget' | 'exists', (...of: string[]) => Promise<unknown>>;
  const revocations = createRevocations({
    redis: {
      exists: (key: string) => steady.exists(key),
      hgetall: (key: string) => steady.hgetall(key),
      hget: (key: string, field: string) =>
        isUserUnreadable ? Promise.reject(new Error('a slot that moved')) : steady.hget(key, field),
    } as unknown as RedisClient,
    keys,
    follower: { follow: (onNews) => (tell = onNews) },
    async readTruth(changedSinceMs) {
      truth.asked += 1;
      truth.sinceMs.push(changedSinceMs);
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
    fill,
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
  const { publish, look, told, refusalOf } = await createStage();
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

t.test('a session that is signed out is refused by each of its tokens, whenever it was issued', async (t) => {
  const { publish, look, refusalOf, clock } = await createStage();
  await look();
  await publish({ sessionIds: ['tablet'] });
  await look();
  const of = (sessionId?: string) => ({
    ...identityOf('rita', 'any', clock.now() + 1000),
    ...(sessionId !== undefined && { sessionId }),
  });
  t.equal(refusalOf(of('tablet')), 'token_revoked');
  t.equal(refusalOf(of('phone')), 'valid');
  t.equal(refusalOf(of()), 'valid');
});

t.test('what has run out is as good as forgotten, whatever its version was', async (t) => {
  const { publish, look, told, clock, refusalOf, revocationOf, truth } = await createStage();
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
  const { publish, look, clock, keys, refusalOf, breakUsers, truth, revocationOf } = await createStage();
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

t.test('a Redis that is not filled is not believed: the truth is asked, and without it nobody is let in', async (t) => {
  const { look, fill, clock, truth, refusalOf, revocationOf, publish } = await createStage({ isFilled: false });
  const isFresh = { mustBeFresh: true };
  truth.isAway = true;
  await look();
  t.equal(refusalOf(identityOf('rosa', 'any'), isFresh), 'access_unavailable');

  truth.isAway = false;
  truth.revocations = [revocationOf({ tokenIds: ['one'] })];
  clock.advance(2_000);
  await look();
  t.equal(refusalOf(identityOf('rita', 'one'), isFresh), 'token_revoked');
  t.equal(refusalOf(identityOf('rosa', 'any'), isFresh), 'valid');

  await publish({ version: 2, tokenIds: ['one', 'two'] });
  await fill();
  truth.asked = 0;
  clock.advance(6_000);
  await look();
  t.equal(truth.asked, 0, 'Redis knows');
  t.equal(refusalOf(identityOf('rita', 'two'), isFresh), 'token_revoked');
  t.equal(refusalOf(identityOf('rosa', 'any'), isFresh), 'valid');
});

t.test('a log in which nobody can write any more is no news, and the truth is asked', async (t) => {
  const { look, clock, keys, truth, refusalOf, revocationOf } = await createStage();
  const beat = async (value: number) => {
    for (let partition = 0; partition < keys.partitions; partition += 1) {
      await redis.set(keys.accessLogBeat(partition), value);
    }
  };
  await look();
  clock.advance(60_000);
  await look();
  t.equal(truth.asked, 0, 'where no worker ever was nobody misses it');

  await beat(1);
  await look();
  clock.advance(4_000);
  await beat(2);
  await look();
  clock.advance(5_000);
  await look();
  t.equal(truth.asked, 0);

  // A sign-out that Redis refused.
  truth.revocations = [revocationOf({ tokenIds: ['one'] })];
  clock.advance(1_000);
  await look();
  t.equal(truth.asked, 1);
  t.equal(refusalOf(identityOf('rita', 'one')), 'token_revoked');
  t.equal(refusalOf(identityOf('rita', 'two'), { mustBeFresh: true }), 'valid');

  clock.advance(1_000);
  await look();
  t.equal(truth.asked, 1, 'no more than every two seconds');
  truth.isAway = true;
  for (let waitedMs = 0; waitedMs <= 6_000; waitedMs += 1_000) {
    clock.advance(1_000);
    await look().catch(() => undefined);
  }
  t.equal(refusalOf(identityOf('rita', 'two'), { mustBeFresh: true }), 'access_unavailable');

  await beat(3);
  await look();
  t.equal(refusalOf(identityOf('rita', 'two'), { mustBeFresh: true }), 'valid');
});

t.test(
  'all of the truth is asked for once, then what has changed since it last answered and somewhat longer',
  async (t) => {
    const { look, clock, truth } = await createStage({ isFilled: false });
    const asks = async () => {
      truth.sinceMs.length = 0;
      clock.advance(2_000);
      await look();
      return truth.sinceMs;
    };
    truth.isAway = true;
    t.strictSame(await asks(), [undefined]);
    t.strictSame(await asks(), [undefined], 'it has not answered yet');

    truth.isAway = false;
    t.strictSame(await asks(), [undefined]);
    const answeredAtMs = clock.now();
    t.strictSame(await asks(), [answeredAtMs - 120_000]);
    truth.isAway = true;
    const lastAnswerMs = clock.now();
    for (let n = 0; n < 3; n += 1) t.strictSame(await asks(), [lastAnswerMs - 120_000]);
  },
);
