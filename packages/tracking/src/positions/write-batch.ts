import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import type { AcceptedFix } from '../accept-fix.ts';
import { encodePosition } from '../feed/packed-positions.ts';
import { encodeFixes, encodeGroupHeader } from '../history/packed-fixes.ts';

/** Accepted fixes of one frame: one driver, run and trip. */
export interface FixGroup {
  driverId: string;
  /** Only where the trip's record lets these fixes count for it. */
  tripId?: string | undefined;
  /** The trip has ended: the fixes belong to its history, the driver's position no longer to it. */
  isTripOver?: boolean;
  run: number;
  /** Lowest seq of the run that the phone still keeps. */
  from: number;
  /** Rising by seq. */
  fixes: readonly AcceptedFix[];
  /** Seqs of the frame that were dropped with an answer. */
  drops: readonly number[];
  receivedAtMs: number;
}

export interface GroupResult {
  /** The driver's position is now a fix of this group. */
  moved: boolean;
  /** Newer run of the driver that holds the position, where there is one. */
  supersededBy?: number;
  /** Everything of the run up to here is stored, dropped with an answer, or closed. */
  durableSeq: number;
}

export type WriteBatch = (partition: number, groups: readonly FixGroup[]) => Promise<GroupResult[]>;

/** Lua's `unpack` carries some 8,000 values: below a thousand groups there is no near miss. */
export const maxGroupsPerCall = 1000;

/**
 * Store a partition's accepted fixes and announce them, in one Redis round trip.
 *
 * Every fix that is not durable yet goes to the stream; the newest live one per driver becomes its position, where its (run, seq) is
 * above the stored one, and is published. The partition is written whole or not at all. A failed call is not retried here, see
 * fix-batcher; written twice, a batch leaves the same positions and fixes that readers of history recognise by (driver, run, seq).
 *
 * @param groups in order of arrival, ≤ `maxGroupsPerCall`, all of drivers in `partition`
 * @returns one result a group, in order
 * @throws AppError `redis_unavailable` (retryable, outcome unknown)
 * Cost: one EVALSHA. Source: design §4 "Write"; measured there 195,000–300,000 fixes/s on one core.
 */
export function createWriteBatch({ redis, keys }: { redis: RedisClient; keys: Keys }): WriteBatch {
  const script = defineScript(redis, {
    name: 'writeBatch',
    lua: loadScript(import.meta.url, './write-batch.lua'),
    numberOfKeys: 5,
  });

  return async (partition, groups) => {
    const args: (string | Buffer | number)[] = [keys.positionFeed(partition)];
    for (const group of groups) {
      args.push(
        group.driverId,
        group.run,
        encodeGroupHeader({ ...group, drops: [...group.drops] }),
        encodeFixes(group.fixes),
        encodeNewest(group),
      );
    }
    const scriptKeys = [
      keys.positions(partition),
      keys.driverStates(partition),
      keys.durable(partition),
      keys.fixes(partition),
      keys.positionFeedNumber(partition),
    ];
    try {
      return toResults((await script(scriptKeys, args)) as number[]);
    } catch (error) {
      throw toRedisError(error);
    }
  };
}

function encodeNewest(group: FixGroup): Buffer | string {
  const newest = group.fixes.findLast((fix) => fix.live);
  if (newest === undefined) return '';
  return encodePosition({ ...newest, run: group.run, tripId: group.isTripOver ? undefined : group.tripId });
}

function toResults(reply: number[]): GroupResult[] {
  const results: GroupResult[] = [];
  for (let at = 0; at < reply.length; at += 3) {
    const supersededBy = reply[at + 1] as number;
    results.push({
      moved: reply[at] === 1,
      ...(supersededBy > 0 && { supersededBy }),
      durableSeq: reply[at + 2] as number,
    });
  }
  return results;
}
