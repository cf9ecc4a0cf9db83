import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import { toRedisError } from '@hushryd/platform/redis/unavailable';

export interface DriverStates {
  /** Keep a declaration that MongoDB already has; an older `version` than the stored one changes nothing. */
  set(declared: { driverId: string; available: boolean; version: number }): Promise<boolean>;
  /** The trip ended: a position that still counts for it counts for the driver alone from now on. */
  clearTrip(ended: { driverId: string; tripId: string }): Promise<boolean>;
}

/**
 * What drivers declare (available or off), kept beside their positions so that the write script can read it, and announced on the
 * position feed in the same call. A driver whose newest fix counts for a trip is `on_trip` whatever was declared.
 *
 * @returns whether anything changed
 * @throws AppError `redis_unavailable`; the worker republishes what MongoDB has, so nothing is lost
 * Cost: one EVALSHA. Source: design §4 "Driver state".
 */
export function createDriverStates({ redis, keys }: { redis: RedisClient; keys: Keys }): DriverStates {
  const script = defineScript(redis, {
    name: 'setDriverState',
    lua: loadScript(import.meta.url, './set-driver-state.lua'),
    numberOfKeys: 3,
  });

  const run = async (driverId: string, version: number, available: boolean, endedTripId: string) => {
    const partition = keys.driverPartition(driverId);
    const scriptKeys = [keys.driverStates(partition), keys.positions(partition), keys.positionFeedNumber(partition)];
    try {
      const args = [keys.positionFeed(partition), driverId, version, available ? 1 : 0, endedTripId];
      return Number(await script(scriptKeys, args)) === 1;
    } catch (error) {
      throw toRedisError(error);
    }
  };

  return {
    set: ({ driverId, available, version }) => run(driverId, version, available, ''),
    clearTrip: ({ driverId, tripId }) => run(driverId, 0, false, tripId),
  };
}
