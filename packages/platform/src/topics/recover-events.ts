import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript, loadScript } from '../redis/scripts.ts';
import { toRedisError } from '../redis/unavailable.ts';
import type { TopicMessage } from './event-feed.ts';
import type { TopicHead } from './event-log.ts';

/** All events after the place asked for, or, where one of them is gone for good, where the log stands now; undefined: there is none. */
export type EventsAfter =
  | { recovered: true; head: TopicHead | undefined; messages: TopicMessage[] }
  | { recovered: false; head: TopicHead | undefined };

/** @throws AppError `redis_unavailable` */
export type RecoverEvents = (topic: string, seen: TopicHead) => Promise<EventsAfter>;

/**
 * What a topic's log holds after a place: all of it in order, or nothing. Another epoch, or events trimmed in between, cannot be
 * recovered, nor can a place ahead of the log.
 *
 * Cost: one EVALSHA; the log holds 300 events at most.
 */
export function createRecoverEvents({ redis, keys }: { redis: RedisClient; keys: Keys }): RecoverEvents {
  const script = defineScript(redis, {
    name: 'recoverEvents',
    lua: loadScript(import.meta.url, './recover-events.lua'),
    numberOfKeys: 2,
  });

  return async (topic, seen) => {
    try {
      const reply = await script([keys.topicHead(topic), keys.topicEvents(topic)], [seen.epoch, seen.offset]);
      const [recovered, epoch, offset, ...events] = reply as [number, string, number, ...string[]];
      const head = epoch === '' ? undefined : { epoch, offset };
      if (recovered === 0) return { recovered: false, head };
      const from = seen.epoch === '' ? 0 : seen.offset;
      const messages = events.map((event, index) => ({
        topic,
        epoch,
        offset: from + 1 + index,
        event: JSON.parse(event) as unknown,
      }));
      return { recovered: true, head, messages };
    } catch (error) {
      throw toRedisError(error);
    }
  };
}
