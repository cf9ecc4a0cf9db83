import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';

/** How far a run is durable; undefined where Redis knows nothing of it. */
export type ReadDurable = (driverId: string, run: number) => Promise<number | undefined>;

/** @throws AppError `redis_unavailable`. Cost: one HGET, gathered with the others of the same tick. */
export function createReadDurable({ redis, keys }: { redis: RedisClient; keys: Keys }): ReadDurable {
  return async (driverId, run) => {
    try {
      const value = await redis.hgetBuffer(keys.durable(keys.driverPartition(driverId)), `${driverId}:${run}`);
      return value?.readDoubleLE(0);
    } catch (error) {
      throw toRedisError(error);
    }
  };
}
