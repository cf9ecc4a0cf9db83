import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { holdDuty } from './hold-duty.ts';

/** Somebody may be watching how a drill of their own ends. */
const everyMs = 5_000;

/** Ends and removes drills: one worker at a time, where Redis can say who; all do where it cannot, which is harmless. */
export function createDrillSchedule({
  redis,
  keys,
  workerId,
  tendDrills,
  log,
}: {
  redis: RedisClient;
  keys: Keys;
  workerId: string;
  tendDrills: () => Promise<void>;
  log: Logger;
}): Periodic {
  return createPeriodic({
    name: 'tend drills',
    everyMs,
    async run() {
      if (await holdDuty({ redis, keys, workerId }, 'drills', 3 * everyMs).catch(() => true)) await tendDrills();
    },
    log,
  });
}
