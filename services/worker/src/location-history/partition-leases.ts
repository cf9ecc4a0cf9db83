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
  const held = new Set<number>();
  let heldUntilMs = 0;

  const hold = async (partition: number, forMs: number) =>
    Number(await script([keys.historyOwner(partition)], [workerId, forMs])) === 1;

  async function countWorkers(): Promise<number> {
    const nowMs = Date.now();
    const [, , count] = await Promise.all([
      redis.zremrangebyscore(keys.workers(), '-inf', nowMs),
      redis.zadd(keys.workers(), nowMs + leaseMs, workerId),
      redis.zcard(keys.workers()),
    ]);
    return Math.max(1, count);
  }

  async function balance(): Promise<void> {
    const startedAtMs = performance.now();
    try {
      const share = Math.ceil(keys.partitions / (await countWorkers()));
      await renew();
      for (const partition of [...held].slice(share)) await release(partition);
      await take(share);
      heldUntilMs = startedAtMs + leaseMs;
    } catch (error) {
      // Without Redis nobody can take over either, but once the leases have run out somebody may have.
      if (performance.now() > heldUntilMs) await loseAll();
      throw error;
    }
  }

  async function renew(): Promise<void> {
    for (const partition of [...held]) {
      if (!(await hold(partition, leaseMs))) await lose(partition);
    }
  }

  async function take(share: number): Promise<void> {
    for (let partition = 0; partition < keys.partitions && held.size < share; partition += 1) {
      if (held.has(partition) || !(await hold(partition, leaseMs))) continue;
      held.add(partition);
      log.info({ partition }, 'history partition taken');
      onGained(partition);
    }
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

  async function loseAll(): Promise<void> {
    for (const partition of [...held]) await lose(partition);
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
