import type { Logger } from '@hushryd/platform/logging/logger';
import type { DrillStore } from './drill-store.ts';

/** Who ends drills that nobody else ends. */
const keeperId = 'drill-keeper';
const atOnce = 100;

/**
 * Ends drills that are through, and removes those whose time is up. Harmless where several do it.
 *
 * @throws AppError `database_unavailable`
 */
export function createTendDrills({ drills, log }: { drills: DrillStore; log: Logger }): () => Promise<void> {
  return async () => {
    for (const drill of await drills.findToEnd(atOnce)) await drills.end({ ...drill, by: keeperId });
    const removed = await drills.removeOld(atOnce);
    if (removed > 0) log.debug({ count: removed }, 'old drills removed');
  };
}
