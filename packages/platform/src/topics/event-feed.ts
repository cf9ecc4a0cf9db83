import type { Logger } from '../logging/logger.ts';
import type { RedisConnections } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { createNumberedFeed } from '../redis/numbered-feed.ts';
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
 * Where messages were missed (numbered-feed.ts says how that shows) `onGap` names the partition: whoever watches a topic in it has to
 * recover from the topic's log by (epoch, offset).
 *
 * @param onGap rejects where the logs could not be read; it is called again then
 * Cost: one GET a partition every two seconds.
 */
export function createEventFeed({
  connections,
  keys,
  wants,
  onEvent,
  onPassing,
  onGap,
  log,
  telemetry,
  checkEveryMs,
}: {
  connections: RedisConnections;
  keys: Keys;
  wants: (topic: string) => boolean;
  onEvent: (message: TopicMessage) => void;
  /** What is in no log, see publish-passing.ts. */
  onPassing?: (topic: string, what: unknown) => void;
  onGap?: (partition: number) => Promise<void>;
  log: Logger;
  telemetry: Telemetry;
  checkEveryMs?: number;
}): EventFeed {
  const gaps = telemetry.counter({
    name: 'event_feed_gaps_total',
    help: 'Times that messages of the event feed were missed',
  });
  const feed = createNumberedFeed({
    name: 'event feed',
    connections,
    partitions: Array.from({ length: keys.partitions }, (_, partition) => ({
      channel: keys.eventFeed(partition),
      numberKey: keys.eventFeedNumber(partition),
    })),
    onMessage(text) {
      const { n, passing, ...message } = JSON.parse(text.toString()) as TopicMessage & { n: number; passing?: unknown };
      if (!wants(message.topic)) return n;
      if (passing === undefined) onEvent(message);
      else onPassing?.(message.topic, passing);
      return n;
    },
    async onGap(partition) {
      gaps.inc();
      await onGap?.(partition);
    },
    log,
    ...(checkEveryMs !== undefined && { checkEveryMs }),
  });

  return {
    start: () => feed.start(),
    close: () => feed.close(),
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
