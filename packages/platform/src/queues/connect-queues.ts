import { Cluster, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config/shared-environment.ts';
import { raceTimer } from '../lifecycle/race-timer.ts';
import type { Logger } from '../logging/logger.ts';
import { parseRedisAddresses } from '../redis/addresses.ts';
import type { RedisClient } from '../redis/client.ts';
import { connectionNameOf } from '../redis/connection-name.ts';
import { logConnectionErrors } from '../redis/log-connection-errors.ts';
import { backOff, commonOptions, openRedis } from '../redis/open-redis.ts';
import { refuseEviction } from '../redis/refuse-eviction.ts';

/** Longest that BullMQ lets a blocking read wait. A server that has not answered half a second later hangs. */
const longestBlockMs = 10_000;
const socketTimeoutMs = longestBlockMs + 500;

export interface QueueConnections {
  /** For queues and workers alike; workers make another one of it for their blocking reads. */
  readonly client: RedisClient;
  /** False while the server is away or was found evicting: no job may be left there. */
  readonly isReady: boolean;
  close(): Promise<void>;
}

/**
 * Connect to the Redis of the queues: standalone, through Sentinel or as a cluster.
 *
 * BullMQ blocks and must not be cut off, so these connections have no deadline a command; whoever adds a job bounds the wait
 * (open-queues.ts). A connection without an answer for the longest block and 500 ms is made anew.
 *
 * A server that is not there within `connectTimeoutMs` is waited for in the background: jobs are hints, and a process that can leave
 * none works by its sweepers. One that comes later and evicts is not used.
 *
 * @throws ConfigError when the server throws data away once its memory is full: jobs would be gone unseen
 */
export async function connectQueues({
  settings,
  log,
  connectTimeoutMs = 3_000,
}: {
  settings: RedisSettings;
  log: Logger;
  connectTimeoutMs?: number | undefined;
}): Promise<QueueConnections> {
  const client = createQueueClient(settings);
  logConnectionErrors(client, { log, role: 'queue', purpose: 'jobs' });
  let isChecked = false;
  const checked = new Promise<void>((resolve) => client.once('ready', resolve))
    .then(() => refuseEviction(client, log))
    .then(() => {
      isChecked = true;
    });
  try {
    await raceTimer(checked, connectTimeoutMs, () => {
      log.warn({ role: 'queue' }, 'no connection to the queues yet, sweepers do their work');
      checked.catch((err: unknown) => log.error({ err, role: 'queue' }, 'the queues are not used'));
    });
  } catch (error) {
    client.disconnect();
    throw error;
  }
  return {
    client,
    get isReady() {
      return isChecked && client.status === 'ready';
    },
    async close() {
      client.disconnect();
    },
  };
}

function createQueueClient(settings: RedisSettings): RedisClient {
  const addresses = parseRedisAddresses(settings.urls.queue);
  const [{ host, port, ...credentials }] = addresses;
  const options = {
    ...commonOptions,
    ...credentials,
    connectionName: connectionNameOf({ role: 'queue', purpose: 'jobs', prefix: settings.prefix }),
    // BullMQ requires it of whatever blocks.
    maxRetriesPerRequest: null,
    socketTimeout: socketTimeoutMs,
  } satisfies RedisOptions;

  if (settings.isCluster) {
    return new Cluster(
      addresses.map((address) => ({ host: address.host, port: address.port })),
      { redisOptions: options, clusterRetryStrategy: backOff, slotsRefreshTimeout: 2_000 },
    );
  }
  return openRedis({ sentinels: settings.sentinels, address: { host, port }, options });
}
