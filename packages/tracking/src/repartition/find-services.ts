import type { RedisClient } from '@hushryd/platform/redis/client';
import { connectionNameOf } from '@hushryd/platform/redis/connection-name';
import type { Keys } from '@hushryd/platform/redis/keys';
import { primariesOf } from '@hushryd/platform/redis/primaries';

/**
 * Does anybody work on this data? Realtime nodes and workers hold leases, every process has a connection by a name that carries the
 * prefix. A lease outlives its process by some seconds.
 *
 * @returns a sentence with what to do, undefined where nobody does
 * Cost: one TIME, two ZCOUNT, and one CLIENT LIST a primary; where an ACL forbids that, the leases alone tell.
 */
export async function findServices({ redis, keys }: { redis: RedisClient; keys: Keys }): Promise<string | undefined> {
  // Leases go by the server's clock; that of the machine on which an operator calls may be anywhere.
  const [seconds] = await redis.time();
  const nowMs = Number(seconds) * 1000;
  const [nodes, workers, connections] = await Promise.all([
    redis.zcount(keys.realtimeNodes(), nowMs, '+inf'),
    redis.zcount(keys.workers(), nowMs, '+inf'),
    countConnections(redis, keys.prefix),
  ]);
  if (nodes + workers === 0 && connections === 0) return undefined;
  return `services run (${nodes} realtime nodes, ${workers} workers, ${connections} connections): stop them all, then wait ten seconds`;
}

/** Of others, as one server has most of them: each process has a connection to each. */
async function countConnections(redis: RedisClient, prefix: string): Promise<number> {
  const counts = await Promise.all(
    primariesOf(redis).map(async (primary) => {
      try {
        const ownId = Number(await primary.client('ID'));
        const lines = String(await primary.client('LIST')).split('\n');
        const name = ` name=${connectionNameOf({ role: 'live', purpose: 'commands', prefix })} `;
        return lines.filter((line) => line.includes(name) && !line.startsWith(`id=${ownId} `)).length;
      } catch {
        return 0;
      }
    }),
  );
  return Math.max(0, ...counts);
}
