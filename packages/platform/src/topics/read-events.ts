import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { toRedisError } from '../redis/unavailable.ts';
import type { TopicMessage } from './event-feed.ts';
import type { TopicHead } from './publish-change.ts';

/** All events after the place asked for, or, where one of them is gone for good, where the log stands now. */
export type EventsAfter =
  | { recovered: true; messages: TopicMessage[] }
  | { recovered: false; head: TopicHead | undefined };

/** @throws AppError `redis_unavailable` */
export type ReadEvents = (topic: string, after: TopicHead) => Promise<EventsAfter>;

/**
 * Read what a topic's log holds after a place: all of it in order, or nothing. Another epoch, or events trimmed in between, cannot be
 * recovered.
 *
 * Cost: one HMGET and one XRANGE in one write; the log holds 300 events at most.
 */
export function createReadEvents({ redis, keys }: { redis: RedisClient; keys: Keys }): ReadEvents {
  return async (topic, after) => {
    try {
      const [[epoch, offset], entries] = await Promise.all([
        redis.hmget(keys.topicHead(topic), 'epoch', 'offset'),
        redis.xrange(keys.topicEvents(topic), `(${after.offset}-0`, '+'),
      ]);
      const head = epoch ? { epoch, offset: Number(offset) } : undefined;
      const messages = entries.map(([id, fields]) => toMessage(topic, after.epoch, id, fields));
      const isWhole = messages.every((message, index) => message.offset === after.offset + 1 + index);
      const reachesHead = after.offset + messages.length >= (head?.offset ?? 0);
      if (head?.epoch === after.epoch && isWhole && reachesHead) return { recovered: true, messages };
      return { recovered: false, head };
    } catch (error) {
      throw toRedisError(error);
    }
  };
}

function toMessage(topic: string, epoch: string, id: string, fields: string[]): TopicMessage {
  return {
    topic,
    epoch,
    offset: Number.parseInt(id, 10),
    event: JSON.parse(fields[1] as string) as unknown,
  };
}
