import { createAttempts } from '@hushryd/platform/lifecycle/attempts';
import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';

/** Several within what readers wait for, see access-log.ts: one that is late is no alarm. */
const everyMs = 1000;

/**
 * Shows the readers of the access logs that these can be written. A Redis that is full, cannot reach its disk or has lost its replicas
 * answers every read and refuses every write: without this, a log in which no sign-out can appear looks like one in which there was none.
 *
 * Whatever refuses an entry must refuse the beat, so it is an ordinary write.
 *
 * Cost: one SET a partition each second and worker.
 */
export function createAccessBeat({
  redis,
  keys,
  log,
  now = Date.now,
}: {
  redis: RedisClient;
  keys: Keys;
  log: Logger;
  now?: () => number;
}): Periodic {
  async function beat(): Promise<void> {
    const work = createAttempts();
    const partitions = Array.from({ length: keys.partitions }, (_, t) => t);
    await Promise.all(partitions.map((t) => work.make(() => redis.set(keys.accessLogBeat(t), now()))));
    work.throwFirst();
  }

  return createPeriodic({ name: 'beat in access logs', everyMs, run: beat, log });
}
