import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';

export interface PartitionLeases {
  start(): void;
  /** Give everything back, so that others need not wait for the leases to end. Without Redis they do wait. */
  close(): Promise<void>;
  readonly held: ReadonlySet<number>;
}

/**
 * Divides the partitions among the workers that are up: each holds at most its share (partitions / workers, rounded up) and gives back
 * what is above it when another worker joins. A dead worker's leases end by themselves.
 *
 * A lease is an agreement, not a lock: a worker that hung may still be writing when another takes over. Nothing breaks then, history is
 * stored twice at worst and readers remove the second.
 *
 * Leases are taken and renewed also where Redis is full: moving fixes into MongoDB is what empties it.
 *
 * @param onGained, onLost called in between, never at the same time; `onLost` is awaited before the lease is given back
 */
export function createPartitionLeases({
  redis,
  keys,
  workerId,
  leaseMs,
  onGained,
  onLost,
  log,
}: {
  redis: RedisClient;
  keys: Keys;
  workerId: string;
  leaseMs: number;
  onGained: (partition: number) => void;
  onLost: (partition: number) => Promise<void>;
  log: Logger;
}): PartitionLeases {
  const script = defineScript(redis, {
    name: 'holdLease',
    lua: loadScript(import.meta.url, './hold-lease.lua'),
    numberOfKeys: 1,
  });
  const count = defineScript(redis, {
    name: 'countWorkers',
    lua: loadScript(import.meta.url, './count-workers.lua'),
    numberOfKeys: 1,
  });
  const held = new Set<number>();
  /** By partition: until then nobody else can have it. */
  const heldUntilMs = new Map<number, number>();
  let workerCount = 1;

  async function hold(partition: number, forMs: number): Promise<boolean> {
    const startedAtMs = performance.now();
    const isMine = Number(await script([keys.historyOwner(partition)], [workerId, forMs])) === 1;
    if (isMine) heldUntilMs.set(partition, startedAtMs + forMs);
    return isMine;
  }

  async function countWorkers(): Promise<number> {
    return Math.max(1, Number(await count([keys.workers()], [workerId, Date.now(), leaseMs])));
  }

  /** On a cluster one shard may be away: what lies on the others is held, taken and given back all the same. */
  async function balance(): Promise<void> {
    const failures: unknown[] = [];
    const note = (error: unknown): undefined => void failures.push(error);
    workerCount = (await countWorkers().catch(note)) ?? workerCount;
    const share = Math.ceil(keys.partitions / workerCount);
    await Promise.all([...held].map((partition) => renew(partition).catch(note)));
    await Promise.all([...held].slice(share).map((partition) => release(partition).catch(note)));
    await take(share, note);
    if (failures.length > 0) throw failures[0];
  }

  async function renew(partition: number): Promise<void> {
    try {
      if (!(await hold(partition, leaseMs))) await lose(partition);
    } catch (error) {
      // Without its shard nobody can take it over either, but once the lease has run out somebody may have.
      if (performance.now() > (heldUntilMs.get(partition) ?? 0)) await lose(partition);
      throw error;
    }
  }

  async function take(share: number, note: (error: unknown) => undefined): Promise<void> {
    const free = Array.from({ length: keys.partitions }, (_, partition) => partition).filter((p) => !held.has(p));
    while (free.length > 0 && held.size < share) {
      const wanted = free.splice(0, share - held.size);
      await Promise.all(wanted.map((partition) => takeOne(partition).catch(note)));
    }
  }

  async function takeOne(partition: number): Promise<void> {
    if (!(await hold(partition, leaseMs))) return;
    held.add(partition);
    log.info({ partition }, 'history partition taken');
    onGained(partition);
  }

  async function lose(partition: number): Promise<void> {
    held.delete(partition);
    log.warn({ partition }, 'history partition lost');
    await onLost(partition);
  }

  async function release(partition: number): Promise<void> {
    held.delete(partition);
    await onLost(partition);
    await hold(partition, 0);
  }

  const periodic = createPeriodic({
    name: 'hold history partitions',
    everyMs: Math.ceil(leaseMs / 5),
    run: balance,
    log,
  });

  return {
    start: () => periodic.start(),
    async close() {
      await periodic.close();
      const returned = await Promise.allSettled([
        ...[...held].map((partition) => release(partition)),
        redis.zrem(keys.workers(), workerId),
      ]);
      const failedCount = returned.filter(({ status }) => status === 'rejected').length;
      if (failedCount > 0)
        log.warn({ failedCount }, 'history partitions not given back, their leases end by themselves');
    },
    held,
  };
}
