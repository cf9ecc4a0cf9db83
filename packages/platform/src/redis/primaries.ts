import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

/** A connection to each server that takes writes: on a cluster several, otherwise the client itself. */
export function primariesOf(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}
