import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  readonly withinMs: number;
  /** What did not come, for the sentence of the failure: `the rider's position frame`. */
  readonly what: string;
}

const pollEveryMs = 10;
const slowestPollMs = 200;

/**
 * Asks `check` until it gives something truthy, and gives that back. A check that throws has not come yet.
 *
 * @throws Error naming `what`, and the last error of `check` as its cause, after `withinMs`; a check that hangs is ended too
 */
export async function waitFor<T>(check: () => T | Promise<T>, options: WaitOptions): Promise<NonNullable<T>> {
  const deadlineMs = performance.now() + options.withinMs;
  let lastError: unknown;
  for (let pauseMs = pollEveryMs; performance.now() < deadlineMs; pauseMs = Math.min(pauseMs * 1.5, slowestPollMs)) {
    try {
      const value = await within(Promise.resolve(check()), { ...options, withinMs: deadlineMs - performance.now() });
      if (value) return value;
    } catch (error) {
      lastError = error;
    }
    await sleep(Math.min(pauseMs, Math.max(0, deadlineMs - performance.now())));
  }
  throw lateness(options, lastError);
}

/** Waits for a promise, at most `withinMs`. The promise itself goes on. */
export async function within<T>(promise: Promise<T>, options: WaitOptions): Promise<T> {
  const giveUp = new AbortController();
  const timeout = sleep(options.withinMs, undefined, { signal: giveUp.signal }).then(() => {
    throw lateness(options, undefined);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    giveUp.abort();
    timeout.catch(() => undefined);
  }
}

function lateness({ what, withinMs }: WaitOptions, cause: unknown): Error {
  const detail = cause instanceof Error ? ` (last: ${cause.message})` : '';
  return new Error(`${what} did not come within ${Math.round(withinMs) / 1000} s${detail}`, { cause });
}
