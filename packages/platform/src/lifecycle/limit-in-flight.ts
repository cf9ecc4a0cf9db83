/** Runs what it is given, so many at a time; the rest waits its turn. */
export type LimitInFlight = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * A database that is asked for more at once than it can do does all of it slower, until every answer comes too late and is asked for again
 * (embedded engine, 8 workers with 16 writes each at a time: 20 s a write). Few at a time are as fast and leave the rest to others.
 */
export function createLimitInFlight(max: number): LimitInFlight {
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  return async (work) => {
    if (inFlight >= max) await new Promise<void>((resolve) => waiting.push(resolve));
    else inFlight += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) inFlight -= 1;
      else next();
    }
  };
}
