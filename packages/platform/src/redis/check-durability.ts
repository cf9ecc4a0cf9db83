import { ConfigError } from '../config/config-error.ts';
import type { Logger } from '../logging/logger.ts';
import type { RedisClient } from './client.ts';
import { primariesOf } from './primaries.ts';

/**
 * For production: refuse a Redis that keeps nothing on disk, since a restart would lose runs, durable seqs and fixes on their way to
 * history all at once. Say so where a primary takes writes that no replica has (`min-replicas-to-write`): cut off from its replicas it
 * acknowledges what is lost with it (88 % of 12 s, measured), and an alert that waits for a replica is never more than `local`.
 *
 * INFO says both also where an ACL forbids CONFIG. Where it gives no answer it stays unknown: logged, not refused.
 *
 * @throws ConfigError when any primary has its append-only file off
 * Cost: two INFO a primary, at start.
 */
export async function checkDurability(client: RedisClient, log: Logger): Promise<void> {
  const found = await Promise.all(
    primariesOf(client).map(async (primary) => {
      try {
        const [persistence, replication] = await Promise.all([
          primary.info('persistence'),
          primary.info('replication'),
        ]);
        return {
          hasFile: !/^aof_enabled:0/m.test(persistence),
          needsReplica: /^min_slaves_good_slaves:/m.test(replication),
        };
      } catch (err) {
        log.warn({ err }, 'cannot tell whether Redis keeps what it acknowledges');
        return { hasFile: true, needsReplica: true };
      }
    }),
  );
  if (found.some(({ hasFile }) => !hasFile)) {
    throw new ConfigError(
      'Redis keeps nothing on disk (appendonly no) and a restart would lose what it acknowledged: set appendonly to yes.',
    );
  }
  if (found.some(({ needsReplica }) => !needsReplica)) {
    log.warn({}, 'redis acknowledges writes that no replica has: set min-replicas-to-write to 1 where it has replicas');
  }
}
