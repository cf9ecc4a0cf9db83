import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript, loadScript } from '../redis/scripts.ts';
import { toRedisError } from '../redis/unavailable.ts';
import type { TopicMessage } from './event-feed.ts';
import { createEpoch, type TopicHead } from './event-log.ts';

/** All events after the place asked for, or, where one of them is gone for good, where the log stands now. */
export type EventsAfter =
  | { recovered: true; head: TopicHead; messages: TopicMessage[] }
  | { recovered: false; head: TopicHead | undefined };

/** @throws AppError `redis_unavailable` */
export type RecoverEvents = (topic: string, seen: TopicHead) => Promise<EventsAfter>;

/**
 * What a topic's log holds after a place: all of it in order, or nothing. Another epoch, or events trimmed in between, cannot be
 * recovered. A log that stands before the place has lost events that were seen; it begins a new epoch, so that nobody takes what
 * comes next for a repetition.
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
      const reply = await script(
        [keys.topicHead(topic), keys.topicEvents(topic)],
        [seen.epoch, seen.offset, createEpoch()],
      );
      const [recovered, epoch, offset, ...events] = reply as [number, string, number, ...string[]];
      const head = epoch === '' ? undefined : { epoch, offset };
      if (recovered === 0 || head === undefined) return { recovered: false, head };
      const messages = events.map((event, index) => ({
        topic,
        epoch,
        offset: seen.offset + 1 + index,
        event: JSON.parse(event) as unknown,
      }));
      return { recovered: true, head, messages };
    } catch (error) {
      throw toRedisError(error);
    }
  };
}
