import type { RedisSettings } from '../config/shared-environment.ts';
import { AppError } from '../errors/app-error.ts';
import { raceTimer } from '../lifecycle/race-timer.ts';
import type { Logger } from '../logging/logger.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { checkDurability } from './check-durability.ts';
import type { RedisClient } from './client.ts';
import { createClient } from './create-client.ts';
import { keepSubscribed } from './keep-subscribed.ts';
import { primariesOf } from './primaries.ts';
import { refuseEviction } from './refuse-eviction.ts';
import { NotSentError, toRedisError } from './unavailable.ts';

export type { RedisClient } from './client.ts';

export type RedisRole = 'live' | 'queue' | 'cache';

export interface RedisConnections {
  /** Ordinary commands. Each ends within the command deadline, also behind a hung or lost server. */
  commands: RedisClient;
  /**
   * A connection of its own for sharded pub/sub: `ssubscribe`, then `smessage` or `smessageBuffer`. It subscribes again by itself
   * after a reconnect, which it makes where nothing is delivered any more (within 3 s); messages sent meanwhile are lost, so readers
   * check the numbers of what they get.
   */
  subscriber(): RedisClient;
  readonly isCluster: boolean;
  /** Of a cluster all primaries are asked. @returns round trip in milliseconds @throws AppError `redis_unavailable` after `deadlineMs` at the latest */
  ping(deadlineMs: number): Promise<number>;
  /** Finish what was sent (within the command deadline) and close every connection made here. */
  close(): Promise<void>;
}

/**
 * Connect to Redis in one role: standalone, through Sentinel or as a cluster, whichever the settings say.
 *
 * A server that goes away later is connected to again for ever, in the background; commands fail meanwhile.
 *
 * @throws AppError `redis_unavailable` when the server cannot be reached within `connectTimeoutMs`; ConfigError when one that is no cache
 *   evicts, or the live one in production keeps nothing on disk
 */
export async function connectRedis({
  settings,
  role,
  log,
  telemetry,
  connectTimeoutMs = 10_000,
}: {
  settings: RedisSettings;
  role: RedisRole;
  log: Logger;
  telemetry?: Telemetry;
  connectTimeoutMs?: number;
}): Promise<RedisConnections> {
  const refused = telemetry?.counter({
    name: 'redis_commands_refused_total',
    help: 'Commands refused because too many were waiting for Redis',
    labelNames: ['role'],
  });
  const starved = telemetry?.counter({
    name: 'redis_subscriptions_starved_total',
    help: 'Times that a subscription delivered nothing and its connection was made anew',
    labelNames: ['role'],
  });
  // An alarm stands on it: a series that begins at 1 has never risen.
  starved?.inc({ role }, 0);
  const open = new Set<RedisClient>();
  const make = (purpose: 'commands' | 'subscriber'): RedisClient => {
    const deadlineMs = settings.commandTimeoutMs;
    const client = createClient({ settings, role, purpose, deadlineMs, log, onRefused: () => refused?.inc({ role }) });
    open.add(client);
    // Whoever asked for a connection may also close it; parts that come and go must not pile up here.
    client.once('end', () => open.delete(client));
    return client;
  };

  const commands = make('commands');
  try {
    await waitUntilReady(commands, connectTimeoutMs);
    if (role !== 'cache') await refuseEviction(commands, log);
    if (role === 'live' && settings.isProduction) await checkDurability(commands, log);
  } catch (error) {
    commands.disconnect();
    throw error;
  }

  return {
    commands,
    subscriber: () =>
      keepSubscribed(make('subscriber'), {
        publish: (channel) => commands.spublish(channel, ''),
        onStarved: () => starved?.inc({ role }),
        log,
      }),
    isCluster: settings.isCluster,
    ping: (deadlineMs) => ping(commands, deadlineMs),
    async close() {
      await finishSent(commands, settings.commandTimeoutMs);
      for (const client of open) client.disconnect();
      open.clear();
    },
  };
}

async function waitUntilReady(client: RedisClient, timeoutMs: number): Promise<void> {
  let lastError: unknown;
  const remember = (error: unknown): void => {
    lastError = error;
  };
  client.on('error', remember);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new AppError('redis_unavailable', { detail: `no connection within ${timeoutMs} ms`, cause: lastError }),
          ),
        timeoutMs,
      );
      client.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  } finally {
    client.off('error', remember);
  }
}

async function ping(client: RedisClient, deadlineMs: number): Promise<number> {
  const startedAt = performance.now();
  try {
    await raceTimer(pingPrimaries(client), deadlineMs, () => {
      throw new Error(`No answer to PING within ${deadlineMs} ms`);
    });
    return performance.now() - startedAt;
  } catch (error) {
    throw toRedisError(error);
  }
}

/** A cluster is there when all of it is: a ping of its own goes to any one node. */
async function pingPrimaries(client: RedisClient): Promise<void> {
  const primaries = primariesOf(client);
  if (primaries.length === 0) throw new NotSentError('No node of the cluster is known');
  await Promise.all(primaries.map((primary) => primary.ping()));
}

/** QUIT is answered after everything that was sent before it. */
async function finishSent(client: RedisClient, timeoutMs: number): Promise<void> {
  if (client.status !== 'ready') return;
  const quit = client.quit().then(
    () => undefined,
    () => undefined, // A connection lost while quitting is what closing wanted.
  );
  await raceTimer(quit, timeoutMs, () => undefined);
}
