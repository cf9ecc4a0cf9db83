import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../config/config-error.ts';

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
