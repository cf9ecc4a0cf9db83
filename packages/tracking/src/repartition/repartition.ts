import { userTopic } from '@hushryd/contracts/realtime/topics';
import type { RedisClient } from '@hushryd/platform/redis/client';
import { createKeys, type Keys } from '@hushryd/platform/redis/keys';
import { finishLayout, type LayoutFound, markLayoutMoving, readLayout } from '@hushryd/platform/redis/layout';
import { partitionOf } from '@hushryd/platform/redis/partition';
import { primariesOf } from '@hushryd/platform/redis/primaries';
import { findServices } from './find-services.ts';

export type Repartitioned =
  /** Nothing was changed, and why. */
  | { refused: string }
  /** Partitions before, undefined where there was no data, and entries that moved to another partition. */
  | { from: number | undefined; moved: number };

const scanCount = 500;

/**
 * Spread what Redis holds over another number of partitions, while nothing runs.
 *
 * What is kept of drivers, and revocations, move to the partition that their driver or user has from now on. What else belongs to topics is
 * removed: the worker publishes access records anew from MongoDB when it starts, and event logs begin new epochs. The streams of
 * fixes have to be empty: history is complete then.
 *
 * Safe to interrupt and to run again, also towards another number: from the first step on the layout key names both numbers, no process
 * starts on that, and each entry is copied before it is removed.
 *
 * @param onProgress a line for the screen
 * @throws what the connection throws: run it again
 * Cost: HSCAN over all hashes of drivers and one SCAN over the keyspace; some 100,000 drivers take seconds.
 */
export async function repartition({
  redis,
  prefix,
  to,
  onProgress,
}: {
  redis: RedisClient;
  prefix: string;
  to: number;
  onProgress: (line: string) => void;
}): Promise<Repartitioned> {
  const target = createKeys({ prefix, partitions: to });
  const found = await readLayout({ redis, keys: target });
  if (found === null) return { from: undefined, moved: 0 };
  if (found === 'unknown') return { refused: 'the layout key is not of this version: run the release that wrote it' };
  if (found.movingTo === undefined && found.partitions === to) return { from: to, moved: 0 };
  // Of both numbers, and of those of a run that was interrupted on its way somewhere else.
  const keys = createKeys({ prefix, partitions: Math.max(found.partitions, found.movingTo ?? 0, to) });
  const reason = (await findServices({ redis, keys })) ?? (await findFixes(redis, keys));
  if (reason !== undefined) return { refused: reason };

  onProgress(describeStart(found, to));
  await markLayoutMoving({ redis, keys, from: keys.partitions, to });
  const moved = await moveHashes({ redis, keys, to, onProgress });
  const removed = await removeTopics(redis, keys);
  onProgress(`${removed} keys of topics removed, the worker publishes them anew`);
  await removeEmptied(redis, keys, to);
  await finishLayout({ redis, keys: target, all: keys });
  return { from: found.partitions, moved };
}

function describeStart({ partitions, movingTo }: LayoutFound, to: number): string {
  return movingTo === undefined
    ? `from ${partitions} to ${to} partitions`
    : `going on where ${partitions} to ${movingTo} partitions was interrupted, to ${to}`;
}

async function findFixes(redis: RedisClient, keys: Keys): Promise<string | undefined> {
  const lengths = await Promise.all(Array.from({ length: keys.partitions }, (_, p) => redis.xlen(keys.fixes(p))));
  const waiting = lengths.filter((length) => length > 0).length;
  if (waiting === 0) return undefined;
  return `fixes wait for history in ${waiting} partitions: run the worker alone until they are stored`;
}

async function moveHashes({
  redis,
  keys,
  to,
  onProgress,
}: {
  redis: RedisClient;
  keys: Keys;
  to: number;
  onProgress: (line: string) => void;
}): Promise<number> {
  const ofDriver = (driverId: string): number => partitionOf(driverId, to);
  // The field is driver:run.
  const ofRun = (field: string): number => ofDriver(field.slice(0, field.lastIndexOf(':')));
  const ofUser = (userId: string): number => partitionOf(userTopic(userId), to);
  const kinds = [
    { name: 'positions', keyOf: keys.positions, homeOf: ofDriver },
    { name: 'driver states', keyOf: keys.driverStates, homeOf: ofDriver },
    { name: 'silent drivers', keyOf: keys.silentDrivers, homeOf: ofDriver },
    { name: 'runs', keyOf: keys.runs, homeOf: ofDriver },
    { name: 'durable seqs', keyOf: keys.durable, homeOf: ofRun },
    // MongoDB has them too, but nobody who is signed out may come in before it was asked.
    { name: 'revocations', keyOf: keys.revocations, homeOf: ofUser },
  ];
  let moved = 0;
  for (const { name, keyOf, homeOf } of kinds) {
    let ofKind = 0;
    for (let p = 0; p < keys.partitions; p += 1) ofKind += await moveHash({ redis, partition: p, keyOf, homeOf });
    onProgress(`${ofKind} ${name} moved`);
    moved += ofKind;
  }
  return moved;
}

async function moveHash({
  redis,
  partition,
  keyOf,
  homeOf,
}: {
  redis: RedisClient;
  partition: number;
  keyOf: (partition: number) => string;
  homeOf: (field: string) => number;
}): Promise<number> {
  let moved = 0;
  let cursor = '0';
  do {
    const [next, entries] = await redis.hscanBuffer(keyOf(partition), cursor, 'COUNT', scanCount);
    cursor = next.toString();
    const leaving = new Map<number, Buffer[]>();
    for (let at = 0; at + 1 < entries.length; at += 2) {
      const [field, value] = [entries[at] as Buffer, entries[at + 1] as Buffer];
      const home = homeOf(field.toString('utf8'));
      if (home === partition) continue;
      const pairs = leaving.get(home) ?? [];
      leaving.set(home, pairs);
      pairs.push(field, value);
    }
    for (const [home, pairs] of leaving) {
      await redis.hset(keyOf(home), ...pairs);
      const fields = pairs.filter((_, index) => index % 2 === 0);
      await redis.hdel(keyOf(partition), ...fields);
      moved += fields.length;
    }
  } while (cursor !== '0');
  return moved;
}

/**
 * Records that stay behind would be believed again when somebody goes back to the old number. The layout keys, which alone keep processes
 * from starting meanwhile, stay, and so do revocations, which have moved.
 */
async function removeTopics(redis: RedisClient, keys: Keys): Promise<number> {
  const stays = new Set(
    Array.from({ length: keys.partitions }, (_, t) => [keys.layout(t), keys.revocations(t)]).flat(),
  );
  let removed = 0;
  for (const primary of primariesOf(redis)) {
    const match = `${escapeGlob(`${keys.prefix}{t`)}[0-9][0-9]}:*`;
    const scan = primary.scanStream({ match, count: scanCount }) as AsyncIterable<string[]>;
    for await (const some of scan) {
      const outdated = some.filter((key) => !stays.has(key));
      // One a key: on a cluster they lie in different slots.
      await Promise.all(outdated.map((key) => redis.unlink(key)));
      removed += outdated.length;
    }
  }
  return removed;
}

/** Streams that are empty and counters of feeds that nobody publishes on any more. */
async function removeEmptied(redis: RedisClient, keys: Keys, to: number): Promise<void> {
  for (let p = to; p < keys.partitions; p += 1) {
    await Promise.all([redis.unlink(keys.fixes(p)), redis.unlink(keys.positionFeedNumber(p))]);
  }
}

const escapeGlob = (text: string): string => text.replace(/[*?[\]\\^]/g, '\\$&');
