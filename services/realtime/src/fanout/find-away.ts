import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { RedisConnections } from '@hushryd/platform/redis/connect';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Away } from './live-status.ts';

/**
 * Which partitions of drivers do not answer. A single server has all or none of them: one PING.
 *
 * Cost: on a cluster one GET a partition.
 */
export function createFindAway({ connections, keys }: { connections: RedisConnections; keys: Keys }) {
  return async (deadlineMs: number): Promise<Away> => {
    if (!connections.isCluster) {
      await connections.ping(deadlineMs);
      return new Set();
    }
    const away = new Set<number>();
    await Promise.all(
      Array.from({ length: keys.partitions }, async (_, partition) => {
        const answer = connections.commands.get(keys.positionFeedNumber(partition)).then(
          () => true,
          () => false,
        );
        if (!(await raceTimer(answer, deadlineMs, () => false))) away.add(partition);
      }),
    );
    return away;
  };
}
