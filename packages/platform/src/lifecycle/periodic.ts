import type { Logger } from '../logging/logger.ts';

export interface Periodic {
  /** Begin: the first run starts at once. */
  start(): void;
  /** Stop, abort the run in progress and wait for it to end. */
  close(): Promise<void>;
  /** Run now instead of at the next turn; during a run, once more after it. @returns when that run has ended, well or not */
  runNow(): Promise<void>;
  /** Runs that failed since the start. */
  readonly failedCount: number;
}

/**
 * Something done again and again, `everyMs` after the last one ended. Runs never overlap. A run that fails is counted and logged
 * (the first of a series, then each tenth), and the next one comes as usual.
 *
 * @param run gets a signal that is aborted by `close()`
 */
export function createPeriodic({
  name,
  everyMs,
  run,
  log,
}: {
  name: string;
  everyMs: number;
  run: (signal: AbortSignal) => void | Promise<void>;
  log: Logger;
}): Periodic {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> | undefined;
  let following: Promise<void> | undefined;
  let isStarted = false;
  let failedCount = 0;
  let failedInARow = 0;

  async function runOnce(): Promise<void> {
    try {
      await run(abort.signal);
      failedInARow = 0;
    } catch (err) {
      if (abort.signal.aborted) return;
      failedCount += 1;
      failedInARow += 1;
      if (failedInARow % 10 === 1) log.error({ err, name, failedInARowCount: failedInARow }, 'periodic work failed');
    }
  }

  function begin(): Promise<void> {
    clearTimeout(timer);
    current = runOnce().finally(() => {
      current = undefined;
      schedule();
    });
    return current;
  }

  function schedule(): void {
    if (!isStarted || abort.signal.aborted || following !== undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => void begin(), everyMs);
  }

  return {
    start() {
      if (isStarted || abort.signal.aborted) return;
      isStarted = true;
      if (current === undefined) void begin();
    },
    runNow() {
      if (abort.signal.aborted) return Promise.resolve();
      if (current === undefined) return begin();
      following ??= current.then(() => {
        following = undefined;
        return abort.signal.aborted ? undefined : begin();
      });
      return following;
    },
    async close() {
      abort.abort();
      clearTimeout(timer);
      await current;
      await following;
    },
    get failedCount() {
      return failedCount;
    },
  };
}
