/** Runs work at most `limit` at a time; the rest waits in order. */
export function limitInFlight(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let inFlight = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    // A lane is handed over from one to the next, so that nobody who comes in between takes it.
    if (inFlight < limit) inFlight += 1;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else inFlight -= 1;
    }
  };
}
