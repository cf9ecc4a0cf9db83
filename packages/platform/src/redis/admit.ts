import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../config/config-error.ts';
import { raceTimer } from '../lifecycle/race-timer.ts';
import type { Logger } from '../logging/logger.ts';
import type { RedisClient } from './client.ts';

const pauseMs = 200;

/**
 * Wait until Redis is there and was looked at, for `withinMs`, and after that in the background for as long as it takes.
 *
 * A connection of its own looks, so that nothing else reaches a Redis that must not be used: one that is laid out otherwise would be
 * written to where nobody looks.
 *
 * @param check of the server; tried again where Redis went away meanwhile
 * @param release called once `check` is through
 * @param onRefused of a server that came after `withinMs`
 * @returns whether it was there in time
 * @throws ConfigError of `check`, where it was
 */
export async function admit({
  client,
  check,
  release,
  withinMs,
  onRefused,
  log,
  role,
}: {
  client: RedisClient;
  check: (client: RedisClient) => Promise<void>;
  release: () => Promise<void>;
  withinMs: number;
  onRefused: (error: ConfigError) => void;
  log: Logger;
  role: string;
}): Promise<boolean> {
  const admitted = checkPatiently(client, check).then(release);
  return raceTimer(
    admitted.then(() => true),
    withinMs,
    () => {
      log.warn({ role }, 'redis is not there, starting without it');
      admitted.then(() => log.info({ role }, 'redis is there, it is used from now on'), onRefused);
      return false;
    },
  );
}

/** @throws ConfigError. Never ends once the client was closed */
async function checkPatiently(client: RedisClient, check: (client: RedisClient) => Promise<void>): Promise<void> {
  for (;;) {
    await becomeReady(client);
    try {
      await check(client);
      return;
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      // It went away again, or is still loading what it has.
      await sleep(pauseMs);
    }
  }
}

export function becomeReady(client: RedisClient): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => void client.once('ready', () => resolve()));
}
