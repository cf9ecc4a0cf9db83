import { createAttempts } from '@hushryd/platform/lifecycle/attempts';
import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { forgetDurable } from '@hushryd/tracking/history/forget-durable';

const everyMs = 600_000;
const keepMs = 86_400_000;

/** How far runs were durable is kept for 24 hours after their last fix. */
export function createForgetDurableSchedule({
  redis,
  keys,
  partitions,
  log,
}: {
  redis: RedisClient;
  keys: Keys;
  partitions: ReadonlySet<number>;
  log: Logger;
}): Periodic {
  return createPeriodic({
    name: 'forget durable seqs',
    everyMs,
    log,
    async run() {
      const work = createAttempts();
      for (const partition of partitions) {
        await work.make(() => forgetDurable({ redis, keys }, partition, { keepMs, nowMs: Date.now() }));
      }
      work.throwFirst();
    },
  });
}
