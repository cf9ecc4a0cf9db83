import type { Cluster, Redis } from 'ioredis';

/** One connection to a server (or to what Sentinel calls the primary), or one to each node of a cluster. */
export type RedisClient = Redis | Cluster;
