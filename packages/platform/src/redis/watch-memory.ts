import { createPeriodic, type Periodic } from '../lifecycle/periodic.ts';
import type { Logger } from '../logging/logger.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { RedisClient } from './client.ts';
import { primariesOf } from './primaries.ts';

const everyMs = 10_000;
/** A full Redis refuses fixes: somebody has to hear of it while there is still room. */
const warnAboveRatio = 0.8;
const calmBelowRatio = 0.7;

/**
 * Watches how full Redis is, so that an alarm comes before it refuses what it is given: the gauge `redis_memory_used_ratio`, and one
 * warning each time that the fullest primary comes above 80 % of its `maxmemory`. A server without that limit counts as empty.
 *
 * Cost: one INFO a primary every 10 s.
 */
export function createMemoryWatch({
  redis,
  telemetry,
  log,
}: {
  redis: RedisClient;
  telemetry: Telemetry;
  log: Logger;
}): Periodic {
  const gauge = telemetry.gauge({
    name: 'redis_memory_used_ratio',
    help: 'Memory of the fullest primary as a share of its maxmemory; 0 where it has no limit',
  });
  let isWarned = false;

  async function look(): Promise<void> {
    const infos = await Promise.all(primariesOf(redis).map((primary) => primary.info('memory')));
    const usedRatio = Math.max(0, ...infos.map(readUsedRatio));
    gauge.set(usedRatio);
    if (usedRatio > warnAboveRatio && !isWarned) {
      isWarned = true;
      log.warn({ usedPercent: Math.round(100 * usedRatio) }, 'Redis is nearly full and will refuse fixes');
    }
    if (usedRatio < calmBelowRatio) isWarned = false;
  }

  return createPeriodic({ name: 'watch memory of Redis', everyMs, run: look, log });
}

function readUsedRatio(info: string): number {
  const read = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const maxBytes = read('maxmemory');
  return maxBytes === 0 ? 0 : read('used_memory') / maxBytes;
}
