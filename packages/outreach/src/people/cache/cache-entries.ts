import { randomBytes } from 'node:crypto';
import type { RedisClient } from '@hushryd/platform/redis/client';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import { toRedisError } from '@hushryd/platform/redis/unavailable';

/** One cached entry a key, with what keeps a stale one out; see versioned-cache.ts. */
export interface CacheEntries {
  /** The entry, or a permit to fill it with what is read from the truth after this. */
  read(key: string): Promise<{ data: string } | { permit: string }>;
  /** Take the entry and every earlier permit away. @returns a new permit */
  renew(key: string): Promise<string>;
  /** A change is about to be written: nothing is read or filled below its version until it has been, or `withinMs` have passed. */
  begin(key: string, change: { version: number; withinMs: number }): Promise<void>;
  /** @returns whether it was stored; not where the permit is void, or something newer was there */
  fill(key: string, entry: { permit: string; version: number; data: string }): Promise<boolean>;
}

/** A week: long enough for somebody who rides on Fridays. */
const entryLifeMs = 7 * 24 * 3_600_000;
const permitLifeMs = 60_000;

/**
 * The entries in Redis, each step a script.
 *
 * @throws AppError `redis_unavailable` from every function
 * Cost: one EVALSHA a call.
 */
export function createCacheEntries({ redis }: { redis: RedisClient }): CacheEntries {
  const script = (name: string, file: `./${string}.lua`) =>
    defineScript(redis, { name, lua: loadScript(import.meta.url, file), numberOfKeys: 1 });
  const readEntry = script('readEntry', './read-entry.lua');
  const beginChange = script('beginChange', './begin-change.lua');
  const fillEntry = script('fillEntry', './fill-entry.lua');

  async function ask(key: string, renews: boolean): Promise<{ data: string } | { permit: string }> {
    const permit = randomBytes(9).toString('base64url');
    const args = [permit, entryLifeMs, permitLifeMs, renews ? 1 : 0];
    const [isHit, text] = (await readEntry([key], args).catch(refuse)) as [number, string];
    return isHit === 1 ? { data: text } : { permit: text };
  }

  return {
    read: (key) => ask(key, false),
    async renew(key) {
      const answer = await ask(key, true);
      return 'permit' in answer ? answer.permit : '';
    },
    async begin(key, { version, withinMs }) {
      await beginChange([key], [version, withinMs, entryLifeMs]).catch(refuse);
    },
    async fill(key, { permit, version, data }) {
      return Number(await fillEntry([key], [permit, version, data, entryLifeMs]).catch(refuse)) === 1;
    },
  };
}

function refuse(error: unknown): never {
  throw toRedisError(error);
}
