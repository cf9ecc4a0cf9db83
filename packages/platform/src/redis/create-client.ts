import { Cluster, type Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config/shared-environment.ts';
import type { Logger } from '../logging/logger.ts';
import { parseRedisAddresses } from './addresses.ts';
import { batchWrites } from './batch-writes.ts';
import type { RedisClient } from './client.ts';
import { connectionNameOf } from './connection-name.ts';
import { logConnectionErrors } from './log-connection-errors.ts';
import { backOff, commonOptions, openRedis } from './open-redis.ts';
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
  isLazy = false,
  log,
  onRefused,
}: {
  settings: RedisSettings;
  role: 'live' | 'queue' | 'cache';
  purpose: 'commands' | 'subscriber';
  deadlineMs: number;
  /** Not connected before `connect` is called. */
  isLazy?: boolean;
  log: Logger;
  onRefused: () => void;
}): RedisClient {
  const addresses = parseRedisAddresses(settings.urls[role]);
  const [{ host, port, ...credentials }] = addresses;
  const options = {
    ...commonOptions,
    ...credentials,
    connectionName: connectionNameOf({ role, purpose, prefix: settings.prefix }),
    commandTimeout: deadlineMs,
    socketTimeout: deadlineMs * 4,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: false,
  } satisfies RedisOptions;

  if (settings.isCluster) {
    const cluster = createCluster({
      nodes: addresses,
      options,
      deadlineMs,
      isSharded: purpose === 'subscriber',
      isLazy,
      onRefused,
    });
    logConnectionErrors(cluster, { log, role, purpose });
    return cluster;
  }

  const redis = openRedis({
    sentinels: settings.sentinels,
    address: { host, port },
    options: { ...options, lazyConnect: isLazy },
  });
  batchWrites(redis);
  readBeforeDeadline(redis, deadlineMs);
  refuseEarly(redis, { onRefused });
  logConnectionErrors(redis, { log, role, purpose });
  return redis;
}

function createCluster({
  nodes,
  options,
  deadlineMs,
  isSharded,
  isLazy,
  onRefused,
}: {
  nodes: { host: string; port: number }[];
  options: RedisOptions & { replyMapping: 'legacy' };
  deadlineMs: number;
  isSharded: boolean;
  isLazy: boolean;
  onRefused: () => void;
}): Cluster {
  const cluster = new Cluster(
    nodes.map(({ host, port }) => ({ host, port })),
    {
      redisOptions: options,
      shardedSubscribers: isSharded,
      lazyConnect: isLazy,
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
