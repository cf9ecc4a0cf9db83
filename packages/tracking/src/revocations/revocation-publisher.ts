import type { Revocation } from '@hushryd/contracts/http/sessions';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import { accessLogKeepMs } from '@hushryd/platform/topics/publish-change';
import { signOutEntry } from '../access-log/access-log.ts';

export interface RevocationPublisher {
  /** After the majority write: tell every node. @returns false where Redis has this version or a newer one */
  publish(revocation: Revocation): Promise<boolean>;
  /** Take away what no token needs any more. @returns how many */
  forgetExpired(partition: number, nowMs: number): Promise<number>;
}

/**
 * Revoked tokens in Redis, where every node finds them. MongoDB is the truth, versions decide.
 *
 * @throws AppError `redis_unavailable`; the tokens are revoked all the same, the worker publishes them again within 2 s
 * Cost: one EVALSHA.
 */
export function createRevocationPublisher({ redis, keys }: { redis: RedisClient; keys: Keys }): RevocationPublisher {
  const script = defineScript(redis, {
    name: 'publishRevocation',
    lua: loadScript(import.meta.url, './publish-revocation.lua'),
    numberOfKeys: 3,
  });

  return {
    async publish(revocation) {
      const { userId, version } = revocation;
      const t = keys.topicPartition(userTopic(userId));
      try {
        const applied = await script(
          [keys.revocations(t), keys.accessLog(t), keys.accessLogNumber(t)],
          [userId, version, JSON.stringify(revocation), signOutEntry(userId), accessLogKeepMs],
        );
        return applied === 1;
      } catch (error) {
        throw toRedisError(error);
      }
    },

    async forgetExpired(partition, nowMs) {
      try {
        const all = await redis.hgetall(keys.revocations(partition));
        const expired = Object.entries(all).filter(([, text]) => (JSON.parse(text) as Revocation).expiresAtMs < nowMs);
        if (expired.length === 0) return 0;
        // One that was renewed in this moment goes too; the worker publishes it again, since it has changed just now.
        return await redis.hdel(keys.revocations(partition), ...expired.map(([userId]) => userId));
      } catch (error) {
        throw toRedisError(error);
      }
    },
  };
}
