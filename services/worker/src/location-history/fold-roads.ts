import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { type RoadSegment, toRoadSegment } from '@hushryd/tracking/history/road-segments';
import type { RoadStore } from '@hushryd/tracking/history/road-store';
import type { HistoryDocument } from '@hushryd/tracking/history/to-history-document';
import { LRUCache } from 'lru-cache';

const maxTrips = 50_000;
const maxSegments = 20_000;

export interface RoadFolder {
  start(): void;
  /** Look at fixes that have just been stored, in order of a trip. Never waits and never fails: roads are a by-product. */
  add(documents: readonly HistoryDocument[]): void;
  close(): Promise<void>;
}

/**
 * Learns travelled roads from history as it is stored: consecutive fixes of a trip become segments, counted in memory and written every
 * `foldMs`. Above 20,000 different segments between two writes, new ones are left out and counted.
 */
export function createRoadFolder({
  store,
  foldMs,
  telemetry,
  log,
}: {
  store: RoadStore;
  foldMs: number;
  telemetry: Telemetry;
  log: Logger;
}): RoadFolder {
  const lastFixes = new LRUCache<string, HistoryDocument>({ max: maxTrips });
  let passes = new Map<string, { segment: RoadSegment; count: number }>();
  const leftOut = telemetry.counter({
    name: 'roads_left_out_total',
    help: 'Road passes not counted because too many waited',
  });
  const periodic = createPeriodic({ name: 'fold roads', everyMs: foldMs, run: fold, log });

  async function fold(): Promise<void> {
    const due = passes;
    passes = new Map();
    await store.add(due, Date.now());
  }

  function count(segment: RoadSegment): void {
    const known = passes.get(segment.id);
    if (known !== undefined) known.count += 1;
    else if (passes.size < maxSegments) passes.set(segment.id, { segment, count: 1 });
    else leftOut.inc();
  }

  return {
    start: () => periodic.start(),
    add(documents) {
      for (const document of documents) {
        if (document.meta.tripId === undefined) continue;
        const before = lastFixes.get(document.meta.tripId);
        const segment = before && toRoadSegment(before, document);
        if (segment !== undefined) count(segment);
        if (before === undefined || before.ts <= document.ts) lastFixes.set(document.meta.tripId, document);
      }
    },
    async close() {
      await periodic.close();
      await fold().catch((err: unknown) => log.warn({ err }, 'last road passes could not be counted'));
    },
  };
}
