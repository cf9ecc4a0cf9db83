import type { RedisSettings } from '@hushryd/platform/config/shared-environment';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis, type RedisConnections } from '@hushryd/platform/redis/connect';
import { createKeys, type Keys } from '@hushryd/platform/redis/keys';
import type { Scope } from './scope.ts';

/** As many as services have by default. */
export const partitions = 16;

export interface LiveRedis {
  readonly connections: RedisConnections;
  readonly keys: Keys;
}

/** Settings as a service would read them. Slow answers are waited for. */
export function toRedisSettings({ url, prefix }: { url: string; prefix: string }): RedisSettings {
  return {
    urls: { live: url, queue: url, cache: url },
    isCluster: false,
    sentinels: undefined,
    prefix,
    partitions,
    commandTimeoutMs: 10_000,
  };
}

/** The product's own way to Redis, for filling it. Slow answers are waited for: a full server is what some scenarios are about. */
export async function openLiveRedis(
  scope: Scope,
  { url, prefix }: { url: string; prefix: string },
): Promise<LiveRedis> {
  const connections = await connectRedis({
    settings: toRedisSettings({ url, prefix }),
    role: 'live',
    log: createLogger({ service: 'bench', instanceId: 'bench', level: 'silent' }),
  });
  scope.teardown(() => connections.close());
  return { connections, keys: createKeys({ prefix, partitions }) };
}
