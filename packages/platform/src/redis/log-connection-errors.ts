import type { Logger } from '../logging/logger.ts';
import type { RedisClient } from './client.ts';

/** A cluster without its primary emits about fifty errors a second. */
const QUIET_MS = 5_000;

/** One line when the connection breaks, at most one every five seconds while it stays broken, one when it is back. */
export function logConnectionErrors(
  client: RedisClient,
  { log, role, purpose }: { log: Logger; role: string; purpose: string },
): void {
  let isBroken = false;
  let lastLoggedMs = Number.NEGATIVE_INFINITY;
  let suppressedCount = 0;

  client.on('error', (error: Error) => {
    isBroken = true;
    if (performance.now() - lastLoggedMs < QUIET_MS) {
      suppressedCount += 1;
      return;
    }
    lastLoggedMs = performance.now();
    log.warn({ err: error, role, purpose, suppressedCount }, 'redis connection failed');
    suppressedCount = 0;
  });

  client.on('ready', () => {
    if (!isBroken) return;
    isBroken = false;
    log.info({ role, purpose, suppressedCount }, 'redis connection is back');
    suppressedCount = 0;
  });
}
