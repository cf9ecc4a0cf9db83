import { setTimeout as sleep } from 'node:timers/promises';
import { HttpProblem } from '@hushryd/sdk/http/http-problem';

const longestPauseMs = 3000;

/**
 * Repeat a request as long as its failure is one that may pass (no answer, 429, 5xx). Only for requests that may happen twice: ours carry ids
 * of our own.
 *
 * @throws HttpProblem of the last try once `withinMs` are over, or at once where repeating cannot help; the signal's reason
 */
export async function withRetries<T>(input: {
  request: () => Promise<T>;
  signal: AbortSignal;
  withinMs?: number;
}): Promise<T> {
  const { request, signal, withinMs = 30_000 } = input;
  const deadlineMs = performance.now() + withinMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof HttpProblem && error.isRetryable) || performance.now() > deadlineMs) throw error;
      const pauseMs = error.retryAfterMs ?? Math.random() * 200 * 2 ** attempt;
      await sleep(Math.min(longestPauseMs, pauseMs), undefined, { signal });
    }
  }
}
