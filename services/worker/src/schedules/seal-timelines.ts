import { sealingShare, type TimelineSealer } from '@hushryd/outreach/timeline/seal-timelines';
import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import { createRest } from '@hushryd/platform/lifecycle/rest';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { holdDuty } from './hold-duty.ts';

/**
 * Seals what waits of all timelines, every `everyMs`. One worker does it at a time, where Redis can say who; where it cannot, all do,
 * which is harmless.
 */
export function createTimelineSchedule({
  redis,
  keys,
  workerId,
  sealer,
  everyMs,
  log,
}: {
  redis: RedisClient;
  keys: Keys;
  workerId: string;
  sealer: Pick<TimelineSealer, 'sealDue'>;
  everyMs: number;
  log: Logger;
}): Periodic {
  const rest = createRest(sealingShare);
  return createPeriodic({
    name: 'seal timelines',
    everyMs,
    async run(signal) {
      const isMine = await holdDuty({ redis, keys, workerId }, 'timelines', 3 * everyMs).catch(() => true);
      if (isMine) await rest.unlessResting(() => sealer.sealDue(signal));
    },
    log,
  });
}
