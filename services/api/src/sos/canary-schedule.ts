import type { CanaryMetrics } from '@hushryd/outreach/drills/canary-metrics';
import type { DrillStore } from '@hushryd/outreach/drills/drill-store';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';

/** Each process looks so many times in a period whether it is its turn. */
const looksAPeriod = 6;

/**
 * Raises the canary every `everyMs`, in one process of all: whoever takes the turn has it until the next one is due, and the death of a
 * process costs none. Where Redis cannot say whose turn it is, each process goes by its own clock: the canary then fails in all of them,
 * which is what it is for. Every process shows when it got through last, wherever that was.
 */
export function startCanary({
  runCanary,
  drills,
  metrics,
  redis,
  keys,
  everyMs,
  log,
}: {
  runCanary: (signal: AbortSignal) => Promise<boolean>;
  drills: Pick<DrillStore, 'sinceCanaryMs'>;
  metrics: Pick<CanaryMetrics, 'passed'>;
  redis: Pick<RedisClient, 'set'>;
  keys: Pick<Keys, 'duty'>;
  everyMs: number;
  log: Logger;
}): { close(): Promise<void> } {
  const lookMs = Math.ceil(everyMs / looksAPeriod);
  const turnMs = everyMs - Math.floor(lookMs / 2);
  let takenAt = Number.NEGATIVE_INFINITY;

  const takeTurn = () =>
    redis.set(keys.duty('sos-canary'), 'taken', 'PX', turnMs, 'NX').then(
      (answer) => answer === 'OK',
      () => performance.now() - takenAt >= turnMs,
    );

  const turns = createPeriodic({
    name: 'canary alert',
    everyMs: lookMs,
    async run(signal) {
      if (!(await takeTurn())) return;
      takenAt = performance.now();
      await runCanary(signal);
    },
    log,
  });
  const ages = createPeriodic({
    name: 'age of the canary alert',
    everyMs: lookMs,
    async run() {
      const agoMs = await drills.sinceCanaryMs();
      if (agoMs !== undefined) metrics.passed(agoMs);
    },
    log,
  });
  turns.start();
  ages.start();
  return {
    async close() {
      await Promise.all([turns.close(), ages.close()]);
    },
  };
}
