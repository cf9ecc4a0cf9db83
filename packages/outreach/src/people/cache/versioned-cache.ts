import { AppError, toAppError } from '@hushryd/platform/errors/app-error';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { CopyKeeper } from '../versioned/change-versioned.ts';
import type { CacheEntries } from './cache-entries.ts';

/** What a read came to. `missed`: neither store gave an answer in time, or both are away. */
export type CachedRead<Value> = { found: Value; from: 'cache' | 'database' } | { missed: 'too_late' | 'unavailable' };

export interface VersionedCache<Value> extends CopyKeeper {
  /** Never throws; ends within `withinMs`. What comes later than that still fills the cache. */
  read(id: string, options: { withinMs: number }): Promise<CachedRead<Value>>;
}

/**
 * Copies in Redis of what MongoDB knows, for those who cannot wait for MongoDB, or for whom it is away.
 *
 * **A change that was acknowledged is what every later read gives, on every node.** Write both, read either: a change ends only when the
 * truth has it and Redis has let go of the copy and of every permit to fill one. A reader that finds no copy gets a permit *before* it
 * reads the truth, and may store what it read only while that permit stands, so that what was read before a change cannot come back after
 * it, not even into a Redis that was emptied meanwhile. Copies from before a failover or restart of Redis are not believed, since the
 * letting-go may be what was lost.
 *
 * So a change needs both stores, and is refused before it is written where Redis is away; an alert needs one of the two. A change that was
 * written but never ended (its node died, Redis went) was never acknowledged; until it could have ended (60 s) readers ask the truth, and
 * so find it too. Not covered: a node that is cut off together with a deposed primary reads that one's copies until it notices; whoever
 * acts on a copy for long compares versions again (`reliability` §6, step 7).
 *
 * Two readers do not share one read of the truth: the second may have come after a change that the first one's read did not see.
 *
 * @param readTruth what MongoDB has now, by a majority; with version 0 where there is nothing. Its deadline is its own
 * @param parse what was stored, undefined where it is not what this build writes
 * Cost of a read: one script call; without a copy one query and a second call, which nobody waits for.
 */
export function createVersionedCache<Value extends { version: number }>({
  entries,
  keyOf,
  readTruth,
  parse,
  log,
  changeWithinMs = 60_000,
}: {
  entries: CacheEntries;
  keyOf: (id: string) => string;
  readTruth: (id: string) => Promise<Value>;
  parse: (data: string) => Value | undefined;
  log: Logger;
  /** Above what a change may take: one with an unknown outcome is tried again, and each try has the database's deadline. */
  changeWithinMs?: number;
}): VersionedCache<Value> {
  const fill = async (id: string, permit: string, value: Value): Promise<void> => {
    await entries.fill(keyOf(id), { permit, version: value.version, data: JSON.stringify(value) });
  };

  async function readOrAsk(id: string): Promise<CachedRead<Value>> {
    const answer = await entries.read(keyOf(id));
    const copy = 'data' in answer ? parse(answer.data) : undefined;
    if (copy !== undefined) return { found: copy, from: 'cache' };
    const permit = 'permit' in answer ? answer.permit : await entries.renew(keyOf(id));
    const found = await readTruth(id);
    // The next reader finds no copy and tries again.
    fill(id, permit, found).catch(() => undefined);
    return { found, from: 'database' };
  }

  /** A Redis that is away or slow leaves half of the time to MongoDB, and the faster of the two answers. */
  async function readEither(id: string, withinMs: number): Promise<CachedRead<Value>> {
    const first = readOrAsk(id);
    const early = await raceTimer(
      first.catch(() => undefined),
      withinMs / 2,
      () => undefined,
    );
    if (early !== undefined) return early;
    const straight = readTruth(id).then((found) => ({ found, from: 'database' as const }));
    return Promise.any([first, straight]);
  }

  return {
    async read(id, { withinMs }) {
      const read = readEither(id, withinMs).catch(() => ({ missed: 'unavailable' as const }));
      return raceTimer(read, withinMs, () => ({ missed: 'too_late' as const }));
    },

    beginChange: (id, version) => entries.begin(keyOf(id), { version, withinMs: changeWithinMs }),

    async settle(id) {
      const permit = await entries.renew(keyOf(id)).catch((cause: unknown) => {
        throw new AppError('redis_unavailable', { detail: 'stored, but counts only when asked for again', cause });
      });
      // From here on the change counts. A copy for a time without MongoDB is worth having, but not waiting for twice.
      await readTruth(id)
        .then((value) => fill(id, permit, value))
        .catch((error: unknown) => {
          const { code, message } = toAppError(error);
          log.warn({ code, reason: message }, 'changed, and not cached');
        });
    },
  };
}
