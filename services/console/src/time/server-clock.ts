/** The server's time as this page can tell it, whatever the operator's own clock says. */
export interface ServerClock {
  /** Note that the server said `serverMs` and that it arrived now. */
  observe(serverMs: number): void;
  /** The server's time now, epoch milliseconds. */
  nowMs(): number;
  /** How much later the newest word arrived than the quickest of the last minute; 0 while nothing is late. */
  lagMs(): number;
  /** When the server was last heard, by this page's clock; undefined before the first time. */
  heardAtMs(): number | undefined;
}

const keptObservations = 60;

/**
 * The smallest difference between arrival and stamp over the last observations is taken for the difference of the two clocks plus the
 * best network delay; what a later message exceeds it by is lag. Bounded: 60 observations, about a minute of map frames.
 */
export function createServerClock(now: () => number = Date.now): ServerClock {
  const differences: number[] = [];
  let baseline = 0;
  let newest = 0;
  let heardAt: number | undefined;

  return {
    observe(serverMs) {
      heardAt = now();
      newest = heardAt - serverMs;
      differences.push(newest);
      if (differences.length > keptObservations) differences.shift();
      baseline = Math.min(...differences);
    },
    nowMs: () => now() - baseline,
    lagMs: () => (heardAt === undefined ? 0 : newest - baseline),
    heardAtMs: () => heardAt,
  };
}
