import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../config/config-error.ts';
import type { Logger } from '../logging/logger.ts';

const pauseMs = 200;

/**
 * Start something that stands on a store, again and again for at most `withinMs`: a process that starts while the store is slow or
 * fails over had better wait a little than end. What only a person can mend ends it at once.
 *
 * @param start may be called again after it failed
 * @throws ConfigError, or what the last try threw
 */
export async function startPatiently<Result>(
  start: () => Result | Promise<Result>,
  { withinMs = 10_000 }: { withinMs?: number } = {},
): Promise<Result> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (error instanceof ConfigError || performance.now() + pauseMs > untilMs) throw error;
    }
    await sleep(pauseMs);
  }
}

/** In the background one line a minute says that it goes on. */
const triesALine = 300;

/**
 * Start several things that stand on a store, in this order and each patiently. What has not started after `withinMs` is started in the
 * background, for as long as it takes: for a process that can do its most important work without.
 *
 * @param withinMs for all of them; each first try is waited for
 * @returns stops trying
 * @throws ConfigError
 */
export async function startInTurn(
  starts: readonly { name: string; start: () => Promise<void> }[],
  { withinMs, log }: { withinMs: number; log: Logger },
): Promise<() => void> {
  const left = [...starts];
  let isStopped = false;

  async function startLeft(untilMs: number): Promise<void> {
    for (let next = left[0]; next !== undefined && !isStopped; next = left[0]) {
      await startPatiently(next.start, { withinMs: untilMs - performance.now() });
      left.shift();
    }
  }

  async function goOn(): Promise<void> {
    for (let tries = 1; !isStopped; tries += 1) {
      await sleep(pauseMs, undefined, { ref: false });
      try {
        await startLeft(performance.now());
        if (!isStopped) log.info({}, 'what waited for its store has started');
        return;
      } catch (err) {
        if (tries % triesALine === 0) log.warn({ err, waiting: namesOf(left) }, 'not started yet');
      }
    }
  }

  try {
    await startLeft(performance.now() + withinMs);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    log.warn({ err: error, waiting: namesOf(left) }, 'not started yet, going on without');
    void goOn();
  }
  return () => {
    isStopped = true;
  };
}

const namesOf = (parts: readonly { name: string }[]): string => parts.map(({ name }) => name).join(', ');
