import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';

/** Partitions of drivers that are away: their fixes are not acknowledged, their positions do not move. */
export type Away = ReadonlySet<number>;

export interface LiveStatus {
  start(): void;
  close(): Promise<void>;
  /** The batcher could not write this partition, or can again. */
  onPartition(partition: number, isWritten: boolean): void;
  /** @param partition of the driver who asks; undefined for whoever watches others: then all have to be there */
  isLive(partition: number | undefined): boolean;
}

const lookEveryMs = 1000;
const lookDeadlineMs = 500;

/**
 * Whether live data flows, partition by partition: on a cluster a shard may be away while the others go on, and phones that are told
 * so rest. Noticed by the first write that fails, and where nobody writes by a look a second; both have to work again before
 * it counts as back.
 *
 * @param findAway asks Redis, within the deadline, for the partitions that do not answer; rejects where none does
 * @param onChange told of what was away and what is now
 */
export function createLiveStatus({
  partitions,
  findAway,
  onChange,
  log,
}: {
  partitions: number;
  findAway: (deadlineMs: number) => Promise<Away>;
  onChange: (before: Away, now: Away) => void;
  log: Logger;
}): LiveStatus {
  const all: Away = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  const unwritten = new Set<number>();
  let silent: Away = new Set();
  let away: Away = new Set();
  const looker = createPeriodic({ name: 'look for redis', everyMs: lookEveryMs, run: look, log });

  async function look(): Promise<void> {
    try {
      silent = await findAway(lookDeadlineMs);
    } catch (err) {
      if (silent.size === 0) log.warn({ err }, 'redis does not answer');
      silent = all;
    }
    update();
  }

  function update(): void {
    const before = away;
    const now = new Set([...silent, ...unwritten]);
    if (now.size === before.size && [...now].every((partition) => before.has(partition))) return;
    away = now;
    if ((now.size === 0) !== (before.size === 0)) {
      log.warn({ state: now.size === 0 ? 'live' : 'degraded', partitions: now.size }, 'live data changed state');
    }
    onChange(before, now);
  }

  return {
    start: () => looker.start(),
    close: () => looker.close(),
    onPartition(partition, isWritten) {
      if (isWritten) unwritten.delete(partition);
      else unwritten.add(partition);
      update();
    },
    isLive: (partition) => isLiveIn(away, partition),
  };
}

/** Is everything there that somebody needs: a driver the own partition, whoever watches others all of them? */
export function isLiveIn(away: Away, partition: number | undefined): boolean {
  return partition === undefined ? away.size === 0 : !away.has(partition);
}
