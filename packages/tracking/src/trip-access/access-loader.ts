import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';

/** Ask the truth for records. Ids without a record are no trips. Throws where nobody answers. */
export type ResolveAccess = (tripIds: string[]) => Promise<TripAccess[]>;

export interface AccessLoader {
  /** @param isRedisOutdated where Redis answers, but nobody could have told it of a change */
  load(tripId: string, options: { isRedisOutdated: boolean }): Promise<TripAccess | null>;
}

const gatherMs = 20;
const maxGathered = 500;

/** Callers who wait for the same question to the truth. */
interface Gathering {
  readonly tripIds: Set<string>;
  readonly answer: Promise<Map<string, TripAccess>>;
  ask(): void;
}

/**
 * Loads access records: from Redis at once, and what Redis does not have from the truth behind it. Of those, callers of 20 ms share one
 * question of at most 500 ids, so 10,000 sockets that come back to an emptied Redis ask twenty times and not ten thousand.
 *
 * Where Redis does not answer, everything is asked of the truth.
 *
 * Cost: one GET, in one write with the others of the same turn.
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
  let gathering: Gathering | undefined;

  // Not shared among callers: one who asks after a change must not get the answer to a question from before it.
  async function load(tripId: string, { isRedisOutdated }: { isRedisOutdated: boolean }): Promise<TripAccess | null> {
    const value = isRedisOutdated ? null : await redis.get(keys.tripAccess(tripId)).catch(() => null);
    if (value !== null) return JSON.parse(value) as TripAccess;
    const records = await join(tripId);
    return records.get(tripId) ?? null;
  }

  function join(tripId: string): Promise<Map<string, TripAccess>> {
    const joined = gathering ?? gather();
    joined.tripIds.add(tripId);
    if (joined.tripIds.size >= maxGathered) joined.ask();
    return joined.answer;
  }

  function gather(): Gathering {
    const tripIds = new Set<string>();
    let ask: () => void = () => undefined;
    const answer = new Promise<Map<string, TripAccess>>((fulfil, reject) => {
      ask = () => {
        clearTimeout(timer);
        if (gathering === opened) gathering = undefined;
        resolve([...tripIds]).then(
          (records) => fulfil(new Map(records.map((access) => [access.tripId, access]))),
          reject,
        );
      };
    });
    const timer = setTimeout(() => ask(), gatherMs);
    const opened: Gathering = { tripIds, answer, ask: () => ask() };
    gathering = opened;
    return opened;
  }

  return { load };
}
