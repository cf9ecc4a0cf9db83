import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import { decodeEntry, type StreamedGroup } from '@hushryd/tracking/history/packed-fixes';

const group = 'history';

/** One entry of a partition's stream. */
export interface FixEntry {
  id: string;
  groups: StreamedGroup[];
}

export interface FixStream {
  /** What was handed to a consumer and never acknowledged, also to one that is dead: whoever holds the partition owns it. */
  claimPending(): Promise<FixEntry[]>;
  readNew(): Promise<FixEntry[]>;
  acknowledge(ids: readonly string[]): Promise<void>;
  /**
   * Forget consumers without pending entries that have been silent for `idleMs`: each start of a worker brings a new one, and nothing else takes
   * them away. One of a worker that lives after all comes back by itself.
   */
  forgetConsumers(idleMs: number): Promise<void>;
  /** Remove what is below the oldest pending entry, never more: what is left is the tail that tracks read. */
  trim(): Promise<void>;
  bytes(): Promise<number>;
}

const entriesAtOnce = 256;

/**
 * A partition's stream of fixes as the consumer group `history` sees it.
 *
 * @param onRejected told of entries that cannot be decoded; they are acknowledged, or they would come back for ever
 * @throws what the connection throws
 */
export function createFixStream({
  redis,
  keys,
  partition,
  consumer,
  log,
  onRejected,
}: {
  redis: RedisClient;
  keys: Keys;
  partition: number;
  consumer: string;
  log: Logger;
  onRejected: () => void;
}): FixStream {
  const key = keys.fixes(partition);
  const createHistoryGroup = defineScript(redis, {
    name: 'createGroup',
    lua: loadScript(import.meta.url, './create-group.lua'),
    numberOfKeys: 1,
  });
  const forgetHistoryConsumers = defineScript(redis, {
    name: 'forgetConsumers',
    lua: loadScript(import.meta.url, './forget-consumers.lua'),
    numberOfKeys: 1,
  });

  /** FLUSHALL and an empty failover take the group away with the stream. */
  async function withGroup<Result>(operation: () => Promise<Result>): Promise<Result> {
    try {
      return await operation();
    } catch (error) {
      if (!isReply(error, 'NOGROUP')) throw error;
      await createGroup();
      return operation();
    }
  }

  async function createGroup(): Promise<void> {
    try {
      await createHistoryGroup([key], [group]);
    } catch (error) {
      if (!isReply(error, 'BUSYGROUP')) throw error;
    }
  }

  async function decode(entries: readonly [Buffer, Buffer[] | null][]): Promise<FixEntry[]> {
    const decoded: FixEntry[] = [];
    for (const [idBytes, fields] of entries) {
      const id = idBytes.toString('latin1');
      try {
        decoded.push({ id, groups: decodeEntry(fields?.[1] ?? Buffer.alloc(0)) });
      } catch (err) {
        onRejected();
        log.error({ err, partition, entryId: id }, 'stream entry cannot be read, leaving it out');
        await redis.xack(key, group, id);
      }
    }
    return decoded;
  }

  return {
    async claimPending() {
      const [, entries] = (await withGroup(() =>
        redis.callBuffer('xautoclaim', key, group, consumer, 0, '0-0', 'COUNT', entriesAtOnce),
      )) as ClaimReply;
      return decode(entries);
    },
    async readNew() {
      const reply = (await withGroup(() =>
        redis.xreadgroupBuffer('GROUP', group, consumer, 'COUNT', entriesAtOnce, 'STREAMS', key, '>'),
      )) as ReadReply | null;
      return decode(reply?.[0]?.[1] ?? []);
    },
    async acknowledge(ids) {
      await redis.xack(key, group, ...ids);
    },
    async forgetConsumers(idleMs) {
      await forgetHistoryConsumers([key], [group, consumer, idleMs]);
    },
    async trim() {
      const [pending] = (await withGroup(() => redis.xpending(key, group, '-', '+', 1))) as [string, ...unknown[]][];
      if (pending !== undefined) {
        await redis.xtrim(key, 'MINID', pending[0]);
        return;
      }
      const delivered = await lastDelivered();
      if (delivered !== undefined) await redis.xtrim(key, 'MINID', following(delivered));
    },
    async bytes() {
      return Number(await redis.memory('USAGE', key)) || 0;
    },
  };

  async function lastDelivered(): Promise<string | undefined> {
    const [fields] = (await redis.xinfo('GROUPS', key)) as (string | number)[][];
    const at = fields?.indexOf('last-delivered-id') ?? -1;
    return at < 0 ? undefined : String(fields?.[at + 1]);
  }
}

type Entry = [Buffer, Buffer[] | null];
type ClaimReply = [Buffer, Entry[], ...unknown[]];
type ReadReply = [Buffer, Entry[]][];

/** The smallest id above this one. */
function following(id: string): string {
  const [ms, sequence] = id.split('-');
  return `${ms}-${BigInt(sequence ?? '0') + 1n}`;
}

function isReply(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(code);
}
