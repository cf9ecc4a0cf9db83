import type { DriverCounts } from './load/drivers.ts';

/** @throws Error when fixes were dropped, refused, or phones lost: then the figure would not be about acknowledged fixes */
export function assertAllTaken(counts: DriverCounts): void {
  const { framesWithDrops, errors, endedSockets, lastError } = counts;
  if (framesWithDrops + errors + endedSockets === 0) return;
  throw new Error(
    `${framesWithDrops} frames with drops, ${errors} errors, ${endedSockets} sockets ended; last: ${lastError}`,
  );
}
