import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import { addScores, type ScoreCounts, type Scorecard, type Scorecards, toScorecard } from './scorecards.ts';

const everyMs = 5_000;
const forgetAfterMs = 60_000;

interface Told {
  readonly atMs: number;
  readonly counts: ScoreCounts[];
}

/** Tells the other processes how the companies did for this one, every five seconds. */
export function createScorecardTelling({
  redis,
  keys,
  instanceId,
  scorecards,
  log,
}: {
  redis: RedisClient;
  keys: Pick<Keys, 'scorecards'>;
  instanceId: string;
  scorecards: Pick<Scorecards, 'export'>;
  log: Logger;
}): Periodic {
  return createPeriodic({
    name: 'tell scorecards',
    everyMs,
    log,
    async run() {
      const told: Told = { atMs: Date.now(), counts: scorecards.export() };
      await redis.hset(keys.scorecards(), instanceId, JSON.stringify(told));
      const others = await redis.hgetall(keys.scorecards());
      const silent = Object.entries(others)
        .filter(([, text]) => isOld(text))
        .map(([instance]) => instance);
      if (silent.length > 0) await redis.hdel(keys.scorecards(), ...silent);
    },
  });
}

/** All processes' scorecards as one. @throws AppError `redis_unavailable` */
export async function readScorecards({
  redis,
  keys,
}: {
  redis: RedisClient;
  keys: Pick<Keys, 'scorecards'>;
}): Promise<Scorecard[]> {
  try {
    const told = await redis.hgetall(keys.scorecards());
    const counts = Object.values(told)
      .filter((text) => !isOld(text))
      .flatMap((text) => (JSON.parse(text) as Told).counts);
    return addScores(counts).map(toScorecard);
  } catch (error) {
    throw toRedisError(error);
  }
}

const isOld = (text: string): boolean => (JSON.parse(text) as Told).atMs < Date.now() - forgetAfterMs;
