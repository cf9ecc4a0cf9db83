import { Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../config/shared-environment.ts';
import { parseHostAndPort } from './addresses.ts';
import { followSentinels } from './follow-sentinels.ts';

/** What every connection of ours has, whatever it is for. */
export const commonOptions = {
  connectTimeout: 2_000,
  disconnectTimeout: 500,
  keepAlive: 10_000,
  // The primary became a replica: only a new connection finds the new one.
  reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? 2 : false),
  replyMapping: 'legacy',
} satisfies RedisOptions;

/** Full jitter keeps a thousand processes from coming back in the same instant. */
export function backOff(attempt: number): number {
  return 20 + Math.floor(Math.random() * Math.min(1_000, 50 * 2 ** Math.min(attempt, 6)));
}

/** A client of one server, or of the primary that the Sentinels name. @param address not looked at where there are Sentinels */
export function openRedis({
  sentinels,
  address: { host, port },
  options,
}: {
  sentinels: RedisSettings['sentinels'];
  address: { host: string; port: number };
  options: RedisOptions & { replyMapping: 'legacy' };
}): Redis {
  if (sentinels === undefined) return new Redis({ ...options, host, port, retryStrategy: backOff });
  const redis = new Redis({
    ...options,
    sentinels: sentinels.hosts.map(parseHostAndPort),
    name: sentinels.name,
    failoverDetector: true,
    sentinelRetryStrategy: backOff,
    retryStrategy: backOff,
  });
  followSentinels(redis);
  return redis;
}
