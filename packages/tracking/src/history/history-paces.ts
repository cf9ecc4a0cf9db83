import type { HistoryPace } from './durable-feed.ts';

export interface HistoryPaces {
  /** From the durable feed. */
  onPace(partition: number, pace: HistoryPace): void;
  /** How often the phones of this driver are asked to report at most, and how close fixes may come to be kept. */
  paceOf(driverId: string): HistoryPace;
}

const ownPace: HistoryPace = { cadenceMs: 0, thinMs: 0 };

/** The pace at which history takes fixes, by partition. Bounded: one entry a partition. */
export function createHistoryPaces(partitionOf: (driverId: string) => number): HistoryPaces {
  const paces = new Map<number, HistoryPace>();
  return {
    onPace(partition, pace) {
      if (pace.cadenceMs > 0) paces.set(partition, pace);
      else paces.delete(partition);
    },
    paceOf: (driverId) => (paces.size === 0 ? ownPace : (paces.get(partitionOf(driverId)) ?? ownPace)),
  };
}
