import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config/shared-environment.ts';
import type { Logger } from '../logging/logger.ts';
import { parseHostAndPort, parseRedisAddresses } from './addresses.ts';
import { batchWrites } from './batch-writes.ts';
import type { RedisClient } from './client.ts';
import { connectionNameOf } from './connection-name.ts';
import { followSentinels } from './follow-sentinels.ts';
import { logConnectionErrors } from './log-connection-errors.ts';
import { readBeforeDeadline } from './read-before-deadline.ts';
import { refuseEarly } from './refuse-early.ts';

/**
 * One ioredis client that fails fast: a command ends within `deadlineMs`, whether the server answers, hangs or is gone.
 *
 * A hung server never closes TCP, so a connection without an answer for four deadlines is
 * torn down and made anew; that frees what waits on it. A command cut off by a lost connection is not sent again: it may have run.
 */
export function createClient({
  settings,
  role,
  purpose,
  deadlineMs,
  log,
  onRefused,
}: {
  settings: RedisSettings;
  role: 'live' | 'queue' | 'cache';
  purpose: 'commands' | 'subscriber';
  deadlineMs: number;
  log: Logger;
  onRefused: () => void;
}): RedisClient {
  const addresses = parseRedisAddresses(settings.urls[role]);
  const [{ host, port, ...credentials }] = addresses;
  const options = {
    ...credentials,
    connectionName: connectionNameOf({ role, purpose, prefix: settings.prefix }),
    commandTimeout: deadlineMs,
    socketTimeout: deadlineMs * 4,
    connectTimeout: 2_000,
    disconnectTimeout: 500,
    keepAlive: 10_000,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: false,
    // The primary became a replica: only a new connection finds the new one.
    reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 2 : false),
    replyMapping: 'legacy',
  } satisfies RedisOptions;

  if (settings.isCluster) {
    const cluster = createCluster({
      nodes: addresses,
      options,
      deadlineMs,
      isSharded: purpose === 'subscriber',
      onRefused,
    });
    logConnectionErrors(cluster, { log, role, purpose });
    return cluster;
  }

  const redis = new Redis({
    ...options,
    ...(settings.sentinels === undefined
      ? { host, port }
      : {
          sentinels: settings.sentinels.hosts.map(parseHostAndPort),
          name: settings.sentinels.name,
          failoverDetector: true,
          sentinelRetryStrategy: backOff,
        }),
    retryStrategy: backOff,
  });
  if (settings.sentinels !== undefined) followSentinels(redis);
  batchWrites(redis);
  readBeforeDeadline(redis, deadlineMs);
  refuseEarly(redis, { onRefused });
  logConnectionErrors(redis, { log, role, purpose });
  return redis;
}

/** Full jitter keeps a thousand processes from coming back in the same instant. */
function backOff(attempt: number): number {
  return 20 + Math.floor(Math.random() * Math.min(1_000, 50 * 2 ** Math.min(attempt, 6)));
}

function createCluster({
  nodes,
  options,
  deadlineMs,
  isSharded,
  onRefused,
}: {
  nodes: { host: string; port: number }[];
  options: RedisOptions & { replyMapping: 'legacy' };
  deadlineMs: number;
  isSharded: boolean;
  onRefused: () => void;
}): Cluster {
  const cluster = new Cluster(
    nodes.map(({ host, port }) => ({ host, port })),
    {
      redisOptions: options,
      shardedSubscribers: isSharded,
      clusterRetryStrategy: backOff,
      slotsRefreshTimeout: 2_000,
    },
  );
  cluster.on('+node', (node: Redis) => {
    batchWrites(node);
    refuseEarly(node, { onRefused });
  });

  // Here and not a node's: while no node is known, commands wait in a queue of the cluster's own.
  readBeforeDeadline(cluster, deadlineMs);
  refuseEarly(cluster, { onRefused });
  return cluster;
}
