import { AppError } from '@hushryd/platform/errors/app-error';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { BatchSettings } from './batch-settings.ts';
import type { FeedPace } from './feed/feed-pace.ts';
import { type FixGroup, type GroupResult, maxGroupsPerCall, type WriteBatch } from './positions/write-batch.ts';

export interface FixBatcher {
  /**
   * Hand over the fixes of one frame.
   *
   * @returns once they are in Redis, readable by anyone: this is what `recv` promises
   * @throws AppError `redis_unavailable` when too many fixes wait already (nothing was sent), or when `close` ran out of time (it may
   *   have been, the outcome is unknown)
   */
  add(group: FixGroup): Promise<GroupResult>;
  /**
   * Would a frame of so many fixes be taken now? Asked before its fixes are judged: what acceptance has once seen is not live again.
   */
  hasRoomFor(fixes: number): boolean;
  /** Write what waits, for at most `withinMs`, and refuse the rest. */
  close(withinMs: number): Promise<void>;
  readonly pendingFixes: number;
}

interface Waiting {
  group: FixGroup;
  resolve(result: GroupResult): void;
  reject(error: Error): void;
}

/** One partition: a queue, and at most one call at a time, so that its groups are written in order also when a call fails. */
interface Lane {
  partition: number;
  waiting: Waiting[];
  isBusy: boolean;
  retryAtMs: number;
}

const retryDelayMs = 100;

/**
 * Collects accepted fixes and writes them partition by partition, as fast as Redis takes them.
 *
 * A flush begins as soon as the one before has returned, after `maxDelayMs` at the latest, or when `maxFixes` wait: an idle system
 * writes a fix at once, a busy one makes the round trip its batch. All partitions' calls of a flush are started together. Where other
 * nodes write much, `pace` lets a little more gather.
 *
 * It owns the failure rule: a partition that failed keeps its groups, in order, and is offered again every 100 ms; meanwhile
 * `onDegraded` was told and nobody of it is acknowledged; `onRestored` comes when no partition fails any more. More than `maxPendingFixes` are refused and counted; phones still keep them.
 */
export function createFixBatcher({
  write,
  partitionOf,
  settings,
  telemetry,
  onDegraded,
  onRestored,
  onPartition,
  pace,
  now = Date.now,
}: {
  write: WriteBatch;
  partitionOf: (driverId: string) => number;
  settings: BatchSettings;
  telemetry: Telemetry;
  onDegraded?: (error: unknown) => void;
  onRestored?: () => void;
  /** The same of each partition: on a cluster one may fail while others are written. */
  onPartition?: (partition: number, isWritten: boolean) => void;
  pace?: Pick<FeedPace, 'pauseMs' | 'wrote'>;
  now?: () => number;
}): FixBatcher {
  const metrics = createMetrics(telemetry);
  const lanes = new Map<number, Lane>();
  let pendingFixes = 0;
  let callsInFlight = 0;
  /** Partitions whose last call failed. */
  const failing = new Set<number>();
  let isClosed = false;
  /** Closing has run out of time: what fails now is refused, not offered again. */
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  let flushedAtMs = 0;
  let onIdle: (() => void) | undefined;

  function add(group: FixGroup): Promise<GroupResult> {
    const weight = weightOf(group);
    if (!hasRoomFor(weight)) {
      metrics.refused.inc(weight);
      return Promise.reject(new AppError('redis_unavailable', { detail: 'not sent' }));
    }
    pendingFixes += weight;
    return new Promise((resolve, reject) => {
      laneOf(group.driverId).waiting.push({ group, resolve, reject });
      schedule();
    });
  }

  function hasRoomFor(fixes: number): boolean {
    return !isClosed && pendingFixes + fixes <= settings.maxPendingFixes;
  }

  function laneOf(driverId: string): Lane {
    const partition = partitionOf(driverId);
    let lane = lanes.get(partition);
    if (lane === undefined) {
      lane = { partition, waiting: [], isBusy: false, retryAtMs: 0 };
      lanes.set(partition, lane);
    }
    return lane;
  }

  /** The end of this turn of the event loop is soon enough to gather what one read from the sockets brought. */
  function schedule(): void {
    if (immediate !== undefined) return;
    const waitMs = timeToWait();
    if (waitMs <= 0) immediate = setImmediate(flush);
    else timer ??= setTimeout(flush, waitMs);
  }

  function timeToWait(): number {
    if (pendingFixes >= settings.maxFixes) return 0;
    if (callsInFlight > 0) return settings.maxDelayMs;
    const pauseMs = pace?.pauseMs ?? 0;
    return pauseMs === 0 ? 0 : Math.min(settings.maxDelayMs, flushedAtMs + pauseMs - now());
  }

  /** All calls are back: what waits may go, if its time has come. */
  function goOn(): void {
    if (isClosed || pendingFixes === 0 || timeToWait() <= 0) {
      flush();
      return;
    }
    clearTimeout(timer);
    timer = undefined;
    schedule();
  }

  function flush(): void {
    clearImmediate(immediate);
    clearTimeout(timer);
    immediate = undefined;
    timer = undefined;

    const nowMs = now();
    flushedAtMs = nowMs;
    let nextRetryAtMs = Number.POSITIVE_INFINITY;
    for (const lane of lanes.values()) {
      if (lane.waiting.length === 0 || lane.isBusy) continue;
      if (lane.retryAtMs > nowMs) nextRetryAtMs = Math.min(nextRetryAtMs, lane.retryAtMs);
      else void writeLane(lane);
    }
    if (nextRetryAtMs < Number.POSITIVE_INFINITY) timer = setTimeout(flush, nextRetryAtMs - nowMs);
    if (pendingFixes === 0 && callsInFlight === 0) onIdle?.();
  }

  async function writeLane(lane: Lane): Promise<void> {
    const batch = lane.waiting.splice(0, maxGroupsPerCall);
    lane.isBusy = true;
    callsInFlight += 1;
    const stopTimer = metrics.seconds.startTimer();
    try {
      const results = await write(
        lane.partition,
        batch.map(({ group }) => group),
      );
      settle(batch, results);
      lane.retryAtMs = 0;
      pace?.wrote();
      if (failing.delete(lane.partition)) {
        onPartition?.(lane.partition, true);
        if (failing.size === 0) onRestored?.();
      }
    } catch (error) {
      if (isOver) refuse(batch);
      else lane.waiting = batch.concat(lane.waiting);
      lane.retryAtMs = now() + retryDelayMs;
      metrics.failed.inc();
      if (failing.size === 0) onDegraded?.(error);
      if (!failing.has(lane.partition)) onPartition?.(lane.partition, false);
      failing.add(lane.partition);
    } finally {
      stopTimer();
      lane.isBusy = false;
      callsInFlight -= 1;
      if (callsInFlight === 0) goOn();
    }
  }

  function refuse(batch: readonly Waiting[]): void {
    for (const { reject } of batch) reject(new AppError('redis_unavailable'));
  }

  function settle(batch: readonly Waiting[], results: readonly GroupResult[]): void {
    let written = 0;
    for (const [index, { group, resolve }] of batch.entries()) {
      written += weightOf(group);
      resolve(results[index] as GroupResult);
    }
    pendingFixes -= written;
    metrics.fixes.observe(written);
  }

  return {
    add,
    hasRoomFor,
    async close(withinMs) {
      isClosed = true;
      let deadline: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => {
          onIdle = resolve;
          if (callsInFlight === 0) flush();
        }),
        new Promise<void>((resolve) => {
          deadline = setTimeout(resolve, withinMs);
        }),
      ]);
      clearTimeout(deadline);
      clearTimeout(timer);
      clearImmediate(immediate);
      isOver = true;
      for (const lane of lanes.values()) refuse(lane.waiting.splice(0));
    },
    get pendingFixes() {
      return pendingFixes;
    },
  };
}

/** Dropped fixes take room too: a frame of nothing else still waits for its answer. */
const weightOf = ({ fixes, drops }: FixGroup): number => Math.max(1, fixes.length + drops.length);

function createMetrics(telemetry: Telemetry) {
  return {
    fixes: telemetry.histogram({
      name: 'fix_batch_fixes',
      help: 'Fixes written by one partition call',
      buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500],
    }),
    seconds: telemetry.histogram({
      name: 'fix_batch_seconds',
      help: 'Time of one partition call, until Redis has the fixes',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    }),
    failed: telemetry.counter({
      name: 'fix_batch_failed_total',
      help: 'Partition calls that failed and are offered again',
    }),
    refused: telemetry.counter({
      name: 'fix_batch_refused_total',
      help: 'Fixes refused because too many wait for Redis',
    }),
  };
}
