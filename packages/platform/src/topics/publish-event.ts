import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript, loadScript } from '../redis/scripts.ts';
import { toRedisError } from '../redis/unavailable.ts';
import { createEpoch, eventsKeepMs, eventsKept, headKeepMs, type TopicHead } from './event-log.ts';

/**
 * Append an event to a topic's log and publish it to every node, in one script: whoever is told of it by pub/sub can also read it
 * from the log. What belongs to a record that has a version goes through `publishChange` instead.
 *
 * @param topic `user:{id}` and the like: letters, digits, `_ - :` only
 * @returns the event's place
 * @throws AppError `redis_unavailable`, outcome unknown; published again, the event stands in the log twice
 * Cost: one EVALSHA.
 */
export type PublishEvent = (topic: string, event: object) => Promise<TopicHead>;

export function createPublishEvent({ redis, keys }: { redis: RedisClient; keys: Keys }): PublishEvent {
  const script = defineScript(redis, {
    name: 'publishEvent',
    lua: loadScript(import.meta.url, './publish-event.lua'),
    numberOfKeys: 3,
  });

  return async (topic, event) => {
    const t = keys.topicPartition(topic);
    try {
      const [epoch, offset] = (await script(
        [keys.topicHead(topic), keys.topicEvents(topic), keys.eventFeedNumber(t)],
        [keys.eventFeed(t), topic, JSON.stringify(event), createEpoch(), eventsKept, eventsKeepMs, headKeepMs],
      )) as [string, number];
      return { epoch, offset };
    } catch (error) {
      throw toRedisError(error);
    }
  };
}
