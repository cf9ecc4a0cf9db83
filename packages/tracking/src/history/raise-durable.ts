import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import type { StreamedGroup } from './packed-fixes.ts';

/** A run whose stored fixes begin above what is durable: the phone has to send again from `from` on. */
export interface MissingFixes {
  driverId: string;
  run: number;
  from: number;
}

export type RaiseDurable = (
  partition: number,
  groups: readonly StreamedGroup[],
  nowMs: number,
) => Promise<MissingFixes[]>;

const runsPerCall = 500;

/**
 * After their fixes are in MongoDB: raise the durable seq of each run over what is contiguous, and tell the nodes on the durable feed.
 *
 * Up to the durable seq everything is stored, was dropped with an answer, or is closed because the phone no longer keeps it. What lies
 * above a hole does not count until the phone has sent it again; it is then stored twice, and readers remove the second.
 *
 * @param groups of one partition, as stored; any order
 * @returns runs with holes
 * @throws AppError `redis_unavailable`; safe to repeat
 * Cost: one EVALSHA per 500 runs.
 */
export function createRaiseDurable({ redis, keys }: { redis: RedisClient; keys: Keys }): RaiseDurable {
  const script = defineScript(redis, {
    name: 'raiseDurable',
    lua: loadScript(import.meta.url, './raise-durable.lua'),
    numberOfKeys: 1,
  });

  return async (partition, groups, nowMs) => {
    const runs = gatherRuns(groups);
    const missing: MissingFixes[] = [];
    for (let at = 0; at < runs.length; at += runsPerCall) {
      const some = runs.slice(at, at + runsPerCall);
      const args = some.flatMap(({ driverId, run, from, seqs }) => [driverId, run, from, encodeIntervals(seqs)]);
      let reply: number[];
      try {
        reply = (await script([keys.durable(partition)], [keys.durableFeed(partition), nowMs, ...args])) as number[];
      } catch (error) {
        throw toRedisError(error);
      }
      for (const [index, { driverId, run }] of some.entries()) {
        if (reply[2 * index + 1] === 1) missing.push({ driverId, run, from: (reply[2 * index] as number) + 1 });
      }
    }
    return missing;
  };
}

interface RunOfBatch {
  driverId: string;
  run: number;
  from: number;
  seqs: number[];
}

function gatherRuns(groups: readonly StreamedGroup[]): RunOfBatch[] {
  const runs = new Map<string, RunOfBatch>();
  for (const group of groups) {
    const key = `${group.driverId}:${group.run}`;
    let gathered = runs.get(key);
    if (gathered === undefined) {
      gathered = { driverId: group.driverId, run: group.run, from: group.from, seqs: [] };
      runs.set(key, gathered);
    }
    gathered.from = Math.max(gathered.from, group.from);
    for (const fix of group.fixes) gathered.seqs.push(fix.seq);
    gathered.seqs.push(...group.drops);
  }
  return [...runs.values()];
}

/** Seqs as closed intervals, rising: pairs of u32. */
function encodeIntervals(seqs: number[]): Buffer {
  seqs.sort((a, b) => a - b);
  const bounds: number[] = [];
  for (const seq of seqs) {
    const last = bounds.at(-1);
    if (last !== undefined && seq <= last + 1) bounds[bounds.length - 1] = seq;
    else bounds.push(seq, seq);
  }
  const packed = Buffer.allocUnsafe(4 * bounds.length);
  for (const [index, bound] of bounds.entries()) packed.writeUInt32LE(bound, 4 * index);
  return packed;
}
