import type { Logger } from '../logging/logger.ts';
import type { RedisConnections } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { toRedisError } from '../redis/unavailable.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { TopicHead } from './event-log.ts';

export interface TopicMessage {
  topic: string;
  epoch: string;
  offset: number;
  event: unknown;
}

export interface EventFeed {
  /** Listen to every partition. @throws AppError `redis_unavailable` */
  start(): Promise<void>;
  close(): Promise<void>;
  /** Where a topic's log stands; null where nothing was ever published on it, or it was forgotten. */
  head(topic: string): Promise<TopicHead | null>;
}

/**
 * All events of all topics, as this node's sockets may want them: one channel a partition, so that thousands of sockets that come and
 * go change no subscription in Redis.
 *
 * Messages are numbered by partition; one that does not follow the last means that some were missed while the connection was away.
 * `onGap` then names the partition: whoever watches a topic in it has to recover from the topic's log by (epoch, offset).
 */
export function createEventFeed({
  connections,
  keys,
  wants,
  onEvent,
  onGap,
  log,
  telemetry,
}: {
  connections: RedisConnections;
  keys: Keys;
  wants: (topic: string) => boolean;
  onEvent: (message: TopicMessage) => void;
  onGap?: (partition: number) => void;
  log: Logger;
  telemetry: Telemetry;
}): EventFeed {
  const subscriber = connections.subscriber();
  const partitionOf = new Map(Array.from({ length: keys.partitions }, (_, t) => [keys.eventFeed(t), t]));
  const lastNumbers = new Map<number, number>();
  const gaps = telemetry.counter({
    name: 'event_feed_gaps_total',
    help: 'Times that messages of the event feed were missed',
  });

  subscriber.on('smessage', (channel: string, text: string) => {
    const partition = partitionOf.get(channel);
    if (partition === undefined) return;
    const message = JSON.parse(text) as TopicMessage & { n: number };
    const last = lastNumbers.get(partition);
    lastNumbers.set(partition, message.n);
    if (last !== undefined && message.n !== last + 1) {
      gaps.inc();
      log.warn({ partition }, 'events were missed');
      onGap?.(partition);
    }
    if (wants(message.topic)) onEvent(message);
  });

  return {
    async start() {
      try {
        // One channel a call: on a cluster they lie in different slots.
        await Promise.all([...partitionOf.keys()].map((channel) => subscriber.ssubscribe(channel)));
      } catch (error) {
        throw toRedisError(error);
      }
    },
    async close() {
      subscriber.disconnect();
    },
    async head(topic) {
      try {
        const [epoch, offset] = await connections.commands.hmget(keys.topicHead(topic), 'epoch', 'offset');
        return epoch ? { epoch, offset: Number(offset) } : null;
      } catch (error) {
        throw toRedisError(error);
      }
    },
  };
}
