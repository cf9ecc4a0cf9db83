import { ConfigError } from '../config/config-error.ts';
import type { RedisClient } from './client.ts';
import type { Keys } from './keys.ts';
import { PARTITION_HASH } from './partition.ts';
import { toRedisError } from './unavailable.ts';

/** Counted up when a key's meaning changes so that old and new processes may not share data. */
export const KEY_VERSION = 1;

/** How data is spread over keys: partition count, hash, key version. */
export function describeLayout(keys: Keys): string {
  return `${keys.partitions}:${PARTITION_HASH}:${KEY_VERSION}`;
}

/**
 * Claim the layout in every topic partition, or refuse to work beside processes that spread data differently: they would write
 * what this one never finds. On an emptied Redis the first process to come sets it.
 *
 * @throws ConfigError when another layout is in force; AppError `redis_unavailable`
 * Cost: one SET a topic partition, two round trips, at start.
 */
export async function assertLayout({ redis, keys }: { redis: RedisClient; keys: Keys }): Promise<void> {
  const wanted = describeLayout(keys);
  // The first partition decides, so that a process that is refused has not marked the others.
  const others = Array.from({ length: keys.partitions - 1 }, (_, index) => index + 1);
  let found = await claimLayout(redis, keys.layout(0), wanted);
  if (found === wanted) {
    const layouts = await Promise.all(others.map((t) => claimLayout(redis, keys.layout(t), wanted)));
    found = layouts.find((layout) => layout !== wanted) ?? wanted;
  }
  if (found === wanted) return;
  throw new ConfigError(
    `Redis holds data under ${keys.prefix} laid out as ${found} (partitions:hash:version), this process wants ${wanted}: ` +
      'set REDIS_PARTITIONS to what the data has, or REDIS_PREFIX to one of its own.',
  );
}

/** The layout in force. SET NX GET in one command needs Redis 7.0, which is the oldest we run on. */
async function claimLayout(redis: RedisClient, key: string, wanted: string): Promise<string> {
  try {
    return ((await redis.call('SET', key, wanted, 'NX', 'GET')) as string | null) ?? wanted;
  } catch (error) {
    throw toRedisError(error);
  }
}
