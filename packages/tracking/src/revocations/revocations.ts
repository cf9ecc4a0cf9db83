import type { Revocation } from '@hushryd/contracts/http/sessions';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { LRUCache } from 'lru-cache';
import type { AccessFollower } from '../access-log/access-follower.ts';
import type { AccessNews } from '../access-log/access-log.ts';

/**
 * Every revocation in force, from the truth; of those that have changed since then at least. Throws where nobody answers.
 *
 * @param changedSinceMs by the clock of this node; undefined for all
 */
export type ReadRevocations = (changedSinceMs?: number) => Promise<Revocation[]>;

export interface Revocations {
  /** The revocation that this token falls under, if there is one. Costs one look into a map. */
  of(identity: Identity): Revocation | undefined;
  /**
   * @throws AppError `token_revoked`, or `access_unavailable` where nobody could have told this node of a revocation for a while and
   *   `mustBeFresh`
   */
  assertValid(identity: Identity, options?: { mustBeFresh?: boolean }): void;
}

/** A sign-out is forgotten once its tokens cannot call for help any more, after a day and a quarter of an hour. */
const maxUsers = 200_000;
const staleAfterMs = 5000;
const askTruthEveryMs = 2000;
/** Longer than clocks differ, and a sign-out takes from its time to its majority. */
const askFurtherBackMs = 120_000;

/**
 * Whose tokens were revoked, as one node knows it: all of them are in memory, so that looking costs nothing, and a new one is felt
 * within a second through the access logs. While Redis is away, cannot be written, or was emptied and is not filled again, the truth is asked
 * every two seconds: one question a node, whatever it holds, once for all of it and then for what has changed since.
 *
 * Bounded: 200,000 users; the least recently changed go first.
 *
 * @param onRevoked told of each new revocation: whoever has an open socket on such a token has to go
 */
export function createRevocations({
  redis,
  keys,
  follower,
  readTruth,
  onRevoked,
  log,
  now = Date.now,
}: {
  redis: RedisClient;
  keys: Keys;
  follower: Pick<AccessFollower, 'follow'>;
  readTruth: ReadRevocations;
  onRevoked?: (revocation: Revocation) => void;
  log: Logger;
  now?: () => number;
}): Revocations {
  const byUser = new LRUCache<string, Revocation>({ max: maxUsers });
  /** Partitions that have to be read as a whole: at the start, where the log lost our place, and while Redis has not everything back. */
  const unread = new Set(Array.from({ length: keys.partitions }, (_, t) => t));
  /** Users who changed and could not be read. */
  const outdated = new Set<string>();
  const knownAtMs = new Array<number>(keys.partitions).fill(Number.NEGATIVE_INFINITY);
  let askedTruthAtMs = Number.NEGATIVE_INFINITY;
  /** Until when the truth was heard: nothing is forgotten here, so all of it is asked for once. */
  let heardUntilMs: number | undefined;
  let isFilling = false;
  const partitionOf = (userId: string) => keys.topicPartition(userTopic(userId));

  follower.follow(async (news, askedAtMs) => {
    for (const userId of news.userIds) outdated.add(userId);
    for (const t of news.lostPartitions) unread.add(t);
    await Promise.all([...[...unread].map(readPartition), ...[...outdated].map(readUser)]);
    const ofOutdated = new Set([...outdated].map(partitionOf));
    const isKnown = (t: number) =>
      !news.failures.has(t) && !news.silentPartitions.has(t) && !unread.has(t) && !ofOutdated.has(t);
    for (let t = 0; t < keys.partitions; t += 1) if (isKnown(t)) knownAtMs[t] = askedAtMs;
    await askTruthInstead(news, askedAtMs);
  });

  async function readPartition(t: number): Promise<void> {
    try {
      const [isFilled, all] = await Promise.all([redis.exists(keys.filled(t)), redis.hgetall(keys.revocations(t))]);
      // A Redis that was emptied has nobody's, and would have to be believed.
      if (isFilled === 1) unread.delete(t);
      for (const text of Object.values(all)) learn(JSON.parse(text) as Revocation);
    } catch (err) {
      log.debug({ err, partition: t }, 'revoked tokens could not be read, trying again');
    }
  }

  async function readUser(userId: string): Promise<void> {
    try {
      const text = await redis.hget(keys.revocations(partitionOf(userId)), userId);
      outdated.delete(userId);
      if (text !== null) learn(JSON.parse(text) as Revocation);
    } catch (err) {
      log.debug({ err, userId }, 'revoked tokens could not be read, trying again');
    }
  }

  async function askTruthInstead({ failures, silentPartitions }: AccessNews, askedAtMs: number): Promise<void> {
    const isRedisAway = failures.size > 0 || silentPartitions.size > 0;
    const isUnknown = isRedisAway || unread.size > 0 || outdated.size > 0;
    if (!isUnknown) isFilling = false;
    if (!isUnknown || askedAtMs - askedTruthAtMs < askTruthEveryMs) return;
    askedTruthAtMs = askedAtMs;
    try {
      const news = await readTruth(heardUntilMs === undefined ? undefined : heardUntilMs - askFurtherBackMs);
      for (const revocation of news) learn(revocation);
      heardUntilMs = askedAtMs;
      knownAtMs.fill(askedAtMs);
    } catch (err) {
      if (isRedisAway) throw err;
      // A first start, where the worker and whoever has the truth may come later than this node: nothing is wrong yet.
      if (!isFilling) log.warn({ err }, 'Redis has not all revoked tokens yet, nor is there anybody else to ask');
      isFilling = true;
    }
  }

  function learn(revocation: Revocation): void {
    const { userId, version, expiresAtMs } = revocation;
    const nowMs = now();
    const known = byUser.get(userId);
    // What has run out is as good as forgotten.
    const isKnown = known !== undefined && known.expiresAtMs >= nowMs && known.version >= version;
    if (expiresAtMs < nowMs || isKnown) return;
    byUser.set(userId, revocation);
    onRevoked?.(revocation);
  }

  function of(identity: Identity): Revocation | undefined {
    if (byUser.size === 0) return undefined;
    const revocation = byUser.peek(identity.userId);
    return revocation !== undefined && isRevokedBy(revocation, identity) ? revocation : undefined;
  }

  return {
    of,
    assertValid(identity, { mustBeFresh = false } = {}) {
      if (of(identity) !== undefined) throw new AppError('token_revoked');
      if (!mustBeFresh) return;
      const isStale = now() - (knownAtMs[partitionOf(identity.userId)] as number) > staleAfterMs;
      if (isStale) throw new AppError('access_unavailable');
    },
  };
}

/** Tokens say when they were issued in whole seconds: one of the same second counts as issued before. */
export function isRevokedBy(revocation: Revocation, identity: Identity): boolean {
  return identity.issuedAtMs < revocation.issuedBeforeMs || isSignedOutBy(revocation, identity);
}

/** Was this very session signed out, by its id or that of its token? */
export function isSignedOutBy({ tokenIds, sessionIds = [] }: Revocation, { tokenId, sessionId }: Identity): boolean {
  return tokenIds.includes(tokenId) || (sessionId !== undefined && sessionIds.includes(sessionId));
}
