import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';

/** One run of one driver. */
export interface RunOfDriver {
  driverId: string;
  run: number;
}

/** How far each run is durable, in order; undefined where Redis knows nothing of it. */
export type ReadDurable = (runs: readonly RunOfDriver[]) => Promise<(number | undefined)[]>;

/** @throws AppError `redis_unavailable`. Cost: one HMGET a partition, all in one write. */
export function createReadDurable({ redis, keys }: { redis: RedisClient; keys: Keys }): ReadDurable {
  return async (runs) => {
    const found = new Array<number | undefined>(runs.length).fill(undefined);
    const byPartition = new Map<number, number[]>();
    for (const [index, { driverId }] of runs.entries()) {
      const partition = keys.driverPartition(driverId);
      const indexes = byPartition.get(partition);
      if (indexes === undefined) byPartition.set(partition, [index]);
      else indexes.push(index);
    }

    async function readPartition(partition: number, indexes: readonly number[]): Promise<void> {
      const fields = indexes.map((index) => {
        const { driverId, run } = runs[index] as RunOfDriver;
        return `${driverId}:${run}`;
      });
      const values = await redis.hmgetBuffer(keys.durable(partition), ...fields);
      for (const [at, index] of indexes.entries()) found[index] = values[at]?.readDoubleLE(0);
    }

    try {
      await Promise.all([...byPartition].map(([partition, indexes]) => readPartition(partition, indexes)));
    } catch (error) {
      throw toRedisError(error);
    }
    return found;
  };
}
