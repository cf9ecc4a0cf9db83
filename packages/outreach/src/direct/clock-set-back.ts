/** What is corrected little by little is not felt by anybody. */
const toleranceMs = 1_000;

/**
 * Watches a clock that may be set, by comparing it with time that only passes.
 *
 * @returns a look: how far the clock was set back since the one before, ms; 0 where it ran on, or was set ahead
 */
export function createClockSetBack({ now, elapsedMs }: { now: () => number; elapsedMs: () => number }): () => number {
  let offMs = now() - elapsedMs();
  return () => {
    const beforeMs = offMs;
    offMs = now() - elapsedMs();
    const backMs = beforeMs - offMs;
    return backMs > toleranceMs ? Math.round(backMs) : 0;
  };
}
