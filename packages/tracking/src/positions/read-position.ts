import type { Position } from '@hushryd/contracts/fix';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import { decodePosition } from '../feed/packed-positions.ts';

/** Older positions are not live any more; the worker takes them away, readers ignore them until then. */
export const positionMaxAgeMs = 300_000;

export interface PositionReader {
  /** @returns the driver's position, null where there is none newer than five minutes */
  read(driverId: string): Promise<Position | null>;
  /** @returns what is known of these drivers, without those that have no live position */
  readMany(driverIds: readonly string[]): Promise<Map<string, Position>>;
}

/**
 * Read positions from Redis, where any process can see them once `recv` was sent.
 *
 * @throws AppError `redis_unavailable`
 * Cost: one HGET, gathered with the others of the same tick by auto pipelining; `readMany` one HMGET a partition.
 */
export function createPositionReader({
  redis,
  keys,
  now = Date.now,
}: {
  redis: RedisClient;
  keys: Keys;
  now?: () => number;
}): PositionReader {
  const toLive = (driverId: string, value: Buffer | null | undefined): Position | null => {
    if (!value) return null;
    const position = decodePosition(driverId, value);
    return now() - position.recordedAtMs <= positionMaxAgeMs ? position : null;
  };

  return {
    async read(driverId) {
      try {
        return toLive(driverId, await redis.hgetBuffer(keys.positions(keys.driverPartition(driverId)), driverId));
      } catch (error) {
        throw toRedisError(error);
      }
    },

    async readMany(driverIds) {
      const byPartition = groupByPartition(driverIds, keys);
      const found = new Map<string, Position>();
      try {
        await Promise.all(
          [...byPartition].map(async ([partition, ids]) => {
            const values = await redis.hmgetBuffer(keys.positions(partition), ...ids);
            for (const [index, driverId] of ids.entries()) {
              const position = toLive(driverId, values[index]);
              if (position) found.set(driverId, position);
            }
          }),
        );
      } catch (error) {
        throw toRedisError(error);
      }
      return found;
    },
  };
}

function groupByPartition(driverIds: readonly string[], keys: Keys): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const driverId of new Set(driverIds)) {
    const partition = keys.driverPartition(driverId);
    const group = groups.get(partition);
    if (group) group.push(driverId);
    else groups.set(partition, [driverId]);
  }
  return groups;
}
