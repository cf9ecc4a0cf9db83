import { ConfigError } from '../config/config-error.ts';
import type { Logger } from '../logging/logger.ts';
import type { RedisClient } from './client.ts';
import { primariesOf } from './primaries.ts';

/**
 * Refuse a Redis that throws data away when its memory is full: fixes and jobs wait there, and nobody would miss the evicted ones.
 * INFO says so also where an ACL forbids CONFIG. Where INFO gives no answer it stays unknown: logged, not refused.
 *
 * @throws ConfigError when any primary evicts
 * Cost: one INFO a primary, at start.
 */
export async function refuseEviction(client: RedisClient, log: Logger): Promise<void> {
  const policies = await Promise.all(
    primariesOf(client).map((primary) =>
      primary.info('memory').then(readPolicy, (err: unknown) => {
        log.warn({ err }, 'cannot tell whether Redis evicts');
        return undefined;
      }),
    ),
  );
  const evicting = policies.find((policy) => policy !== undefined && policy !== 'noeviction');
  if (evicting === undefined) return;
  throw new ConfigError(
    `Redis evicts data when its memory is full (maxmemory-policy ${evicting}) and would lose what waits there: set maxmemory-policy to noeviction.`,
  );
}

function readPolicy(info: string): string | undefined {
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
}
