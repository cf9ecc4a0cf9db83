import { createHmac, randomBytes } from 'node:crypto';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import { LRUCache } from 'lru-cache';

export interface PassingIds {
  /** @returns makes the id that riders see for a driver, until the salt changes @throws AppError `redis_unavailable` before the first salt */
  current(): Promise<(driverId: string) => string>;
}

const saltLifeMs = 600_000;
const retryMs = 1_000;
const maxCached = 200_000;

/**
 * Ids of drivers for riders' eyes: the same on every node, so that a car keeps its place on the rider's map, and others every ten
 * minutes, so that nobody can follow a driver through the day.
 *
 * HMAC-SHA-256 of the driver's id under a random salt that lies in Redis for ten minutes; the first node to miss it makes the next
 * one. While Redis is away the last salt stays in use.
 *
 * Cost: two Redis commands every ten minutes; 2 µs for an id that was not asked for under this salt yet.
 */
export function createPassingIds({
  redis,
  keys,
  now = Date.now,
}: {
  redis: RedisClient;
  keys: Keys;
  now?: () => number;
}): PassingIds {
  let salt: string | undefined;
  let isGoodUntilMs = 0;
  let reading: Promise<void> | undefined;
  const ids = new LRUCache<string, string>({ max: maxCached });

  function toId(driverId: string): string {
    let id = ids.get(driverId);
    if (id === undefined) {
      id = createHmac('sha256', salt as string)
        .update(driverId)
        .digest('base64url')
        .slice(0, 22);
      ids.set(driverId, id);
    }
    return id;
  }

  async function readSalt(): Promise<void> {
    const key = keys.nearbySalt();
    const fresh = randomBytes(32).toString('base64url');
    try {
      const existing = (await redis.call('SET', key, fresh, 'NX', 'GET', 'PX', saltLifeMs)) as string | null;
      const leftMs = await redis.pttl(key);
      if (salt !== (existing ?? fresh)) ids.clear();
      salt = existing ?? fresh;
      isGoodUntilMs = now() + Math.max(leftMs, 0);
    } catch (error) {
      if (salt === undefined) throw toRedisError(error);
      isGoodUntilMs = now() + retryMs;
    }
  }

  return {
    async current() {
      if (now() >= isGoodUntilMs) {
        reading ??= readSalt().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      return toId;
    },
  };
}
