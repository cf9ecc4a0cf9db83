import Type from 'typebox';
import { readEnvironment } from '../config/read-environment.ts';
import { type RedisSettings, redisEnvironment, toRedisSettings } from '../config/shared-environment.ts';
import type { RedisClient } from '../redis/client.ts';
import { primariesOf } from '../redis/primaries.ts';

/** What of an environment says where a Redis is, and whether it is one server, a cluster or behind sentinels. */
const names = ['REDIS_URL', 'REDIS_CLUSTER_MODE', 'REDIS_SENTINELS', 'REDIS_SENTINEL_NAME'] as const;

export type RedisVariables = Readonly<Record<string, string>>;

/** Those that are set. */
export function pickRedisVariables(env: Readonly<Record<string, string | undefined>>): RedisVariables {
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

/** Do they name several servers? */
export const areSeveralServers = (variables: RedisVariables): boolean =>
  variables.REDIS_CLUSTER_MODE === 'true' || variables.REDIS_SENTINELS !== undefined;

export function toSettings(
  variables: RedisVariables,
  own: Partial<Pick<RedisSettings, 'prefix' | 'partitions' | 'commandTimeoutMs'>>,
): RedisSettings {
  return { ...toRedisSettings(readEnvironment(Type.Object({ ...redisEnvironment }), variables)), ...own };
}

/** The keys that begin with `prefix`, of all primaries, in alphabetical order. */
export async function listKeys(redis: RedisClient, prefix: string): Promise<string[]> {
  const found = new Set<string>();
  for (const primary of primariesOf(redis)) {
    const scan = primary.scanStream({ match: `${prefix}*`, count: 500 }) as AsyncIterable<string[]>;
    for await (const keys of scan) for (const key of keys) found.add(key);
  }
  return [...found].sort();
}
