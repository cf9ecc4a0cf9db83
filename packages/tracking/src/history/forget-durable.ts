import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';

/**
 * Forget how far runs were durable that have had no fix for `keepMs` (24 hours). A phone that comes back later starts again at the
 * lowest fix it keeps.
 *
 * @returns how many were forgotten
 * @throws AppError `redis_unavailable`. Cost: HSCAN over the partition, one HDEL a step.
 */
export async function forgetDurable(
  { redis, keys }: { redis: RedisClient; keys: Keys },
  partition: number,
  { keepMs, nowMs }: { keepMs: number; nowMs: number },
): Promise<number> {
  const key = keys.durable(partition);
  let forgotten = 0;
  let cursor = '0';
  try {
    do {
      const [next, entries] = await redis.hscanBuffer(key, cursor, 'COUNT', 500);
      cursor = next.toString();
      const old: Buffer[] = [];
      for (let at = 0; at + 1 < entries.length; at += 2) {
        const updatedAtMs = (entries[at + 1] as Buffer).readDoubleLE(8);
        if (nowMs - updatedAtMs > keepMs) old.push(entries[at] as Buffer);
      }
      if (old.length > 0) forgotten += await redis.hdel(key, ...old);
    } while (cursor !== '0');
  } catch (error) {
    throw toRedisError(error);
  }
  return forgotten;
}
