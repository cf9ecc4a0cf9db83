import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { RedisConnections } from '@hushryd/platform/redis/connect';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import type { MissingFixes } from './raise-durable.ts';

/** What workers tell the nodes that hold drivers' sockets. JSON on the channel of each partition. */
interface DurableMessage {
  durable?: [driverId: string, run: number, seq: number][];
  resend?: [driverId: string, run: number, from: number][];
  pace?: HistoryPace;
}

/** What history that is behind asks of the nodes and, through them, of phones; all 0 when it has caught up. */
export interface HistoryPace {
  /** Phones are asked for a fix no more often than this. */
  cadenceMs: number;
  /** And what comes closer all the same is dropped, with an answer. */
  thinMs: number;
}

export interface DurableFeed {
  /** @throws AppError `redis_unavailable` */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * What became durable, and what is to be asked for again, of every driver. A message that is missed costs nothing but time: durable
 * seqs are cumulative, and `readDurable` says where a run stands.
 */
export function createDurableFeed({
  connections,
  keys,
  onDurable,
  onResend,
  onPace,
  log,
}: {
  connections: RedisConnections;
  keys: Keys;
  onDurable?: (driverId: string, run: number, seq: number) => void;
  onResend?: (driverId: string, run: number, from: number) => void;
  onPace?: (partition: number, pace: HistoryPace) => void;
  log: Logger;
}): DurableFeed {
  const subscriber = connections.subscriber();
  const partitions = new Map(Array.from({ length: keys.partitions }, (_, p) => [keys.durableFeed(p), p]));

  subscriber.on('smessage', (channel: string, text: string) => {
    const partition = partitions.get(channel);
    if (partition === undefined) return;
    const message = JSON.parse(text) as DurableMessage;
    for (const [driverId, run, seq] of message.durable ?? []) onDurable?.(driverId, run, seq);
    for (const [driverId, run, from] of message.resend ?? []) onResend?.(driverId, run, from);
    if (message.pace !== undefined) onPace?.(partition, message.pace);
  });

  return {
    async start() {
      try {
        await Promise.all([...partitions.keys()].map((channel) => subscriber.ssubscribe(channel)));
      } catch (error) {
        throw toRedisError(error);
      }
      log.debug({ partitions: partitions.size }, 'durable feed subscribed');
    },
    async close() {
      subscriber.disconnect();
    },
  };
}

/** Ask phones to send again, by way of the nodes that hold their sockets. @throws AppError `redis_unavailable` */
export async function publishResend(
  { redis, keys }: { redis: RedisClient; keys: Keys },
  partition: number,
  missing: readonly MissingFixes[],
): Promise<void> {
  await publish({ redis, keys }, partition, {
    resend: missing.map(({ driverId, run, from }) => [driverId, run, from]),
  });
}

/** Tell every node at which pace history takes the fixes of a partition. @throws AppError `redis_unavailable` */
export async function publishPace(
  { redis, keys }: { redis: RedisClient; keys: Keys },
  partition: number,
  pace: HistoryPace,
): Promise<void> {
  await publish({ redis, keys }, partition, { pace });
}

async function publish(
  { redis, keys }: { redis: RedisClient; keys: Keys },
  partition: number,
  message: DurableMessage,
): Promise<void> {
  try {
    await redis.spublish(keys.durableFeed(partition), JSON.stringify(message));
  } catch (error) {
    throw toRedisError(error);
  }
}
