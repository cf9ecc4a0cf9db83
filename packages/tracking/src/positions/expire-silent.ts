import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import { decodePosition } from '../feed/packed-positions.ts';

const scanCount = 500;

export interface SilentExpiry {
  /**
   * @param silentForMs how long a driver may be silent and still have a position
   * @returns how many left
   */
  expirePartition(partition: number, options: { silentForMs: number; nowMs: number }): Promise<number>;
}

/**
 * Drivers who fell silent leave the positions, and with them nearby and every map; the removal travels on the position feed.
 *
 * @throws AppError `redis_unavailable`; what was not taken away is found by the next round
 * Cost: HSCAN over the partition, 500 a step, so that no call holds Redis; one script call a step that finds someone silent.
 */
export function createSilentExpiry({ redis, keys }: { redis: RedisClient; keys: Keys }): SilentExpiry {
  const script = defineScript(redis, {
    name: 'expireSilent',
    lua: loadScript(import.meta.url, './expire-silent.lua'),
    numberOfKeys: 2,
  });

  return {
    async expirePartition(partition, { silentForMs, nowMs }) {
      const silentBeforeMs = nowMs - silentForMs;
      const scriptKeys = [keys.positions(partition), keys.positionFeedNumber(partition)];
      let left = 0;
      let cursor = '0';
      try {
        do {
          const [next, entries] = await redis.hscanBuffer(keys.positions(partition), cursor, 'COUNT', scanCount);
          cursor = next.toString();
          const silent = silentDrivers(entries, silentBeforeMs);
          if (silent.length > 0) {
            left += Number(await script(scriptKeys, [keys.positionFeed(partition), silentBeforeMs, ...silent]));
          }
        } while (cursor !== '0');
      } catch (error) {
        throw toRedisError(error);
      }
      return left;
    },
  };
}

function silentDrivers(entries: Buffer[], silentBeforeMs: number): string[] {
  const silent: string[] = [];
  for (let at = 0; at + 1 < entries.length; at += 2) {
    const driverId = (entries[at] as Buffer).toString('latin1');
    if (decodePosition(driverId, entries[at + 1] as Buffer).recordedAtMs <= silentBeforeMs) silent.push(driverId);
  }
  return silent;
}
