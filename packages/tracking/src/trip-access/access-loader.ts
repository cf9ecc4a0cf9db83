import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';

/** Ask the truth for records. Ids without a record are no trips. Throws where nobody answers. */
export type ResolveAccess = (tripIds: string[]) => Promise<TripAccess[]>;

export interface AccessLoader {
  load(tripId: string): Promise<TripAccess | null>;
  loadMany(tripIds: readonly string[]): Promise<Map<string, TripAccess | null>>;
}

const gatherMs = 20;
const maxGathered = 500;

/**
 * Loads access records: Redis first, and for what it does not have the truth behind it. Callers of 20 ms share one question of at most
 * 500 ids, so 10,000 sockets that come back at once ask twenty times and not ten thousand.
 *
 * Where Redis does not answer, everything is asked of the truth.
 */
export function createAccessLoader({
  redis,
  keys,
  resolve,
}: {
  redis: RedisClient;
  keys: Keys;
  resolve: ResolveAccess;
}): AccessLoader {
  let gathering: Map<
    string,
    { promise: Promise<TripAccess | null>; settle: (found: Promise<Map<string, TripAccess | null>>) => void }
  > = new Map();
  let timer: NodeJS.Timeout | undefined;

  function load(tripId: string): Promise<TripAccess | null> {
    const waiting = gathering.get(tripId);
    if (waiting !== undefined) return waiting.promise;
    let settle: (found: Promise<Map<string, TripAccess | null>>) => void = () => undefined;
    const promise = new Promise<TripAccess | null>((fulfil, reject) => {
      settle = (found) => found.then((records) => fulfil(records.get(tripId) ?? null), reject);
    });
    gathering.set(tripId, { promise, settle });
    if (gathering.size >= maxGathered) ask();
    else timer ??= setTimeout(ask, gatherMs);
    return promise;
  }

  function ask(): void {
    clearTimeout(timer);
    timer = undefined;
    const asked = gathering;
    gathering = new Map();
    const found = loadMany([...asked.keys()]);
    for (const { settle } of asked.values()) settle(found);
  }

  async function loadMany(tripIds: readonly string[]): Promise<Map<string, TripAccess | null>> {
    const found = new Map<string, TripAccess | null>();
    const missing: string[] = [];
    const values = await Promise.allSettled(tripIds.map((tripId) => redis.get(keys.tripAccess(tripId))));
    for (const [index, tripId] of tripIds.entries()) {
      const value = values[index];
      if (value?.status === 'fulfilled' && value.value !== null)
        found.set(tripId, JSON.parse(value.value) as TripAccess);
      else missing.push(tripId);
    }
    for (let at = 0; at < missing.length; at += maxGathered) {
      const asked = missing.slice(at, at + maxGathered);
      const records = await resolve(asked);
      for (const tripId of asked) found.set(tripId, null);
      for (const access of records) found.set(access.tripId, access);
    }
    return found;
  }

  return { load, loadMany };
}
