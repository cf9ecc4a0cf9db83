import type { Position } from '@hushryd/contracts/fix';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import { decodePosition } from '../feed/packed-positions.ts';

/** A run is the Redis time of its start; clocks of a failed-over Redis differ by less than this. */
const maxFutureRunMs = 60_000;

export interface Hello {
  run: number;
  /** Everything up to here is durable; where Redis has forgotten, what lies below `from` is closed. */
  durableSeq: number;
  position: Position | null;
}

export interface Runs {
  /**
   * @param run the phone's own, undefined for a new one: max(Redis time in ms, newest allotted + 1)
   * @param from lowest seq that the phone still keeps of `run`
   */
  hello(phone: { driverId: string; run?: number | undefined; from?: number | undefined }): Promise<Hello>;
}

/**
 * Runs order a driver's fixes, not clocks: the newest run that sends an accepted fix moves the position.
 *
 * @throws AppError `run_unknown` for a run that lies in the future, `redis_unavailable`
 * Cost: one EVALSHA. Source: design §4 "Run and seq".
 */
export function createRuns({ redis, keys }: { redis: RedisClient; keys: Keys }): Runs {
  const script = defineScript(redis, {
    name: 'allotRun',
    lua: loadScript(import.meta.url, './allot-run.lua'),
    numberOfKeys: 3,
  });

  return {
    async hello({ driverId, run = 0, from = 1 }) {
      const partition = keys.driverPartition(driverId);
      const scriptKeys = [keys.runs(partition), keys.positions(partition), keys.durable(partition)];
      const [allotted, durable, value] = await script.buffer(scriptKeys, [driverId, run, maxFutureRunMs]).then(
        (reply) => reply as [Buffer, Buffer, Buffer | null],
        (error: unknown) => {
          throw toRedisError(error);
        },
      );
      if (Number(allotted) === 0) throw new AppError('run_unknown');
      return {
        run: Number(allotted),
        durableSeq: Number(durable) >= 0 ? Number(durable) : from - 1,
        position: value ? decodePosition(driverId, value) : null,
      };
    },
  };
}
