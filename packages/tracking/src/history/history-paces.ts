import type { HistoryPace } from './durable-feed.ts';

export interface HistoryPaces {
  /** From the durable feed. */
  onPace(partition: number, pace: HistoryPace): void;
  /** How often the phones of this driver are asked to report at most, and how close fixes may come to be kept. */
  paceOf(driverId: string): HistoryPace;
}

/** It is said every 2 s; a worker that was killed, or lost the partition, never says that it is over. */
const paceHoldsMs = 10_000;
const ownPace: HistoryPace = { cadenceMs: 0, thinMs: 0 };

/** The pace at which history takes fixes, by partition; what was not said again for 10 s does not hold. Bounded: one entry a partition. */
export function createHistoryPaces(
  partitionOf: (driverId: string) => number,
  monotonicMs: () => number = () => performance.now(),
): HistoryPaces {
  const said = new Map<number, { pace: HistoryPace; untilMs: number }>();
  return {
    onPace(partition, pace) {
      if (pace.cadenceMs > 0) said.set(partition, { pace, untilMs: monotonicMs() + paceHoldsMs });
      else said.delete(partition);
    },
    paceOf(driverId) {
      if (said.size === 0) return ownPace;
      const partition = partitionOf(driverId);
      const last = said.get(partition);
      if (last === undefined) return ownPace;
      if (monotonicMs() < last.untilMs) return last.pace;
      said.delete(partition);
      return ownPace;
    },
  };
}
