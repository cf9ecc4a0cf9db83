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
      'set REDIS_PARTITIONS to what the data has (npm run repartition changes it), or REDIS_PREFIX to one of its own.',
  );
}

/**
 * Everything that MongoDB knows is in Redis (again): where something is not there, it does not exist.
 *
 * Its own key beside the layout, which any process sets that comes first: what is missing then looks like a Redis that never had it.
 *
 * @throws AppError `redis_unavailable`
 */
export async function markFilled({ redis, keys }: { redis: RedisClient; keys: Keys }): Promise<void> {
  const partitions = Array.from({ length: keys.partitions }, (_, t) => t);
  await Promise.all(partitions.map((t) => redis.set(keys.filled(t), 1))).catch((error: unknown) => {
    throw toRedisError(error);
  });
}

/** The number of partitions in force; with `movingTo` while data moves to another one. */
export interface LayoutFound {
  readonly partitions: number;
  readonly movingTo: number | undefined;
}

/** @returns null where Redis holds no data; `unknown` for a layout of another hash or key version. @throws AppError `redis_unavailable` */
export async function readLayout({
  redis,
  keys,
}: {
  redis: RedisClient;
  keys: Keys;
}): Promise<LayoutFound | 'unknown' | null> {
  const text = await redis.get(keys.layout(0)).catch((error: unknown) => {
    throw toRedisError(error);
  });
  if (text === null) return null;
  const [, partitions, movingTo, hash, version] = /^(\d+)(?:>(\d+))?:([^:]+):(\d+)$/.exec(text) ?? [];
  if (hash !== PARTITION_HASH || Number(version) !== KEY_VERSION) return 'unknown';
  return { partitions: Number(partitions), movingTo: movingTo === undefined ? undefined : Number(movingTo) };
}

/** From here on no process starts on this data: its layout is neither the old one nor the new one. */
export async function markLayoutMoving({
  redis,
  keys,
  from,
  to,
}: {
  redis: RedisClient;
  /** Of the larger number of partitions. */
  keys: Keys;
  from: number;
  to: number;
}): Promise<void> {
  await setLayout(redis, keys, `${from}>${to}:${PARTITION_HASH}:${KEY_VERSION}`);
}

/** The move is over: `keys` are in force, and of `all` those that are not among them are gone. */
export async function finishLayout({ redis, keys, all }: { redis: RedisClient; keys: Keys; all: Keys }): Promise<void> {
  try {
    for (let t = keys.partitions; t < all.partitions; t += 1) await redis.unlink(all.layout(t));
  } catch (error) {
    throw toRedisError(error);
  }
  await setLayout(redis, keys, describeLayout(keys));
}

/** The first partition last: it is the one that decides. */
async function setLayout(redis: RedisClient, keys: Keys, layout: string): Promise<void> {
  try {
    for (let t = keys.partitions - 1; t >= 0; t -= 1) await redis.set(keys.layout(t), layout);
  } catch (error) {
    throw toRedisError(error);
  }
}

/** The layout in force. SET NX GET in one command needs Redis 7.0, which is the oldest we run on. */
async function claimLayout(redis: RedisClient, key: string, wanted: string): Promise<string> {
  try {
    return ((await redis.call('SET', key, wanted, 'NX', 'GET')) as string | null) ?? wanted;
  } catch (error) {
    throw toRedisError(error);
  }
}
