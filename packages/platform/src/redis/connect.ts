import type { ConfigError } from '../config/config-error.ts';
import type { RedisSettings } from '../config/shared-environment.ts';
import { AppError } from '../errors/app-error.ts';
import { raceTimer } from '../lifecycle/race-timer.ts';
import type { Logger } from '../logging/logger.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { admit, becomeReady } from './admit.ts';
import { checkDurability } from './check-durability.ts';
import type { RedisClient } from './client.ts';
import { createClient } from './create-client.ts';
import { holdBack } from './hold-back.ts';
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
  /** False while a Redis that was away at the start has not come yet. */
  readonly isAdmitted: boolean;
  /** Of a cluster all primaries are asked. @returns round trip in milliseconds @throws AppError `redis_unavailable` after `deadlineMs` at the latest */
  ping(deadlineMs: number): Promise<number>;
  /** Finish what was sent (within the command deadline) and close every connection made here. */
  close(): Promise<void>;
}

/** For a process that can do its most important work without Redis. */
export interface RedisPatience {
  /** A Redis that came after the start and may not be used. Nothing is sent there; only a person can mend it. */
  onRefused: (error: ConfigError) => void;
}

/**
 * Connect to Redis in one role: standalone, through Sentinel or as a cluster, whichever the settings say.
 *
 * A server that goes away later is connected to again for ever, in the background; commands fail meanwhile. With `patience` the same holds
 * of one that is not there yet.
 *
 * @param check a further look at the server before it is used: at the layout of its data. May throw a ConfigError
 * @param connectTimeoutMs 10 s, and 2 s with `patience`
 * @throws AppError `redis_unavailable` when the server cannot be reached within `connectTimeoutMs`, never with `patience`; ConfigError when
 *   one that is no cache evicts, or the live one in production keeps nothing on disk
 */
export async function connectRedis({
  settings,
  role,
  log,
  telemetry,
  check,
  patience,
  connectTimeoutMs = patience === undefined ? 10_000 : 2_000,
}: {
  settings: RedisSettings;
  role: RedisRole;
  log: Logger;
  telemetry?: Telemetry;
  check?: (redis: RedisClient) => Promise<void>;
  patience?: RedisPatience;
  connectTimeoutMs?: number | undefined;
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
  const make = (purpose: 'commands' | 'subscriber', { isLazy = false } = {}): RedisClient => {
    const deadlineMs = settings.commandTimeoutMs;
    const onRefused = () => refused?.inc({ role });
    const client = createClient({ settings, role, purpose, deadlineMs, isLazy, log, onRefused });
    open.add(client);
    // Whoever asked for a connection may also close it; parts that come and go must not pile up here.
    client.once('end', () => open.delete(client));
    return client;
  };

  async function checkServer(client: RedisClient): Promise<void> {
    if (role !== 'cache') await refuseEviction(client, log);
    if (role === 'live' && settings.isProduction) await checkDurability(client, log);
    await check?.(client);
  }
  const closeAll = (): void => {
    for (const client of open) client.disconnect();
    open.clear();
  };

  const commands = make('commands', { isLazy: patience !== undefined });
  let isAdmitted = patience === undefined;
  try {
    if (patience === undefined) {
      await waitUntilReady(commands, connectTimeoutMs);
      await checkServer(commands);
    } else {
      const connect = holdBack(commands);
      const looking = make('commands');
      const release = async (): Promise<void> => {
        connect();
        await becomeReady(commands);
        isAdmitted = true;
        looking.disconnect();
      };
      const { onRefused } = patience;
      await admit({ client: looking, check: checkServer, release, withinMs: connectTimeoutMs, onRefused, log, role });
    }
  } catch (error) {
    closeAll();
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
    get isAdmitted() {
      return isAdmitted;
    },
    ping: (deadlineMs) => ping(commands, deadlineMs),
    async close() {
      await finishSent(commands, settings.commandTimeoutMs);
      closeAll();
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
