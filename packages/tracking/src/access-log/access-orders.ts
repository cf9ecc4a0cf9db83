import { userTopic } from '@hushryd/contracts/realtime/topics';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import { accessLogKeepMs } from '@hushryd/platform/topics/publish-change';
import { type EndOrder, endEntry } from './access-log.ts';

export interface AccessOrders {
  /** End one socket, if it is that user's. */
  end(order: EndOrder): Promise<void>;
}

/**
 * Orders that change no record, in the access logs that every node reads each second.
 *
 * @throws AppError `redis_unavailable`
 * Cost: one EVALSHA.
 */
export function createAccessOrders({ redis, keys }: { redis: RedisClient; keys: Keys }): AccessOrders {
  const script = defineScript(redis, {
    name: 'appendAccessEntry',
    lua: loadScript(import.meta.url, './append-access-entry.lua'),
    numberOfKeys: 2,
  });

  return {
    async end(order) {
      const t = keys.topicPartition(userTopic(order.userId));
      try {
        await script([keys.accessLog(t), keys.accessLogNumber(t)], [endEntry(order), accessLogKeepMs]);
      } catch (error) {
        throw toRedisError(error);
      }
    },
  };
}
