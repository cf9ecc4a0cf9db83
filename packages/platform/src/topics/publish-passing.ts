import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript, loadScript } from '../redis/scripts.ts';
import { toRedisError } from '../redis/unavailable.ts';

/**
 * Tell those who listen to a topic right now. It is in no log: whoever was away, or missed it, is told the next one, so it is for what is
 * soon replaced by something newer.
 *
 * @param topic letters, digits, `_ - :` only
 * @throws AppError `redis_unavailable`, outcome unknown
 * Cost: one EVALSHA.
 */
export type PublishPassing = (topic: string, what: object) => Promise<void>;

export function createPublishPassing({ redis, keys }: { redis: RedisClient; keys: Keys }): PublishPassing {
  const script = defineScript(redis, {
    name: 'publishPassing',
    lua: loadScript(import.meta.url, './publish-passing.lua'),
    numberOfKeys: 1,
  });

  return async (topic, what) => {
    const t = keys.topicPartition(topic);
    try {
      await script([keys.eventFeedNumber(t)], [keys.eventFeed(t), topic, JSON.stringify(what)]);
    } catch (error) {
      throw toRedisError(error);
    }
  };
}
