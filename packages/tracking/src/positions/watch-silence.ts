import type { DriverPresenceEvent } from '@hushryd/contracts/events/topic-event';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import type { PublishEvent } from '@hushryd/platform/topics/publish-event';
import { isOnTripSince, peekRecordedAtMs, peekTripId } from '../feed/packed-positions.ts';

const scanCount = 500;
/** A driver who does not come back is forgotten after this. */
const rememberMs = 86_400_000;

export interface SilenceWatch {
  /**
   * Look at one partition's drivers who are on a trip.
   *
   * @param silentAfterMs without a fix for this long a driver is silent
   * @returns how many trips were told that their driver fell silent, or is heard again
   */
  look(
    partition: number,
    options: { silentAfterMs: number; nowMs: number },
  ): Promise<{ silent: number; heard: number }>;
}

/**
 * Tells a trip's topic when its driver falls silent, with the age of the last fix, and when he is heard again. A phone that dies says no
 * goodbye, so presence is what his fixes show and nothing else.
 *
 * Told first and noted then: whoever takes over in between tells it again, and nobody is left without.
 *
 * @throws AppError `redis_unavailable`; the next look goes on
 * Cost: HSCAN over the partition, 500 a step, two numbers read of each position; one script call an event.
 */
export function createSilenceWatch({
  redis,
  keys,
  publishEvent,
}: {
  redis: RedisClient;
  keys: Keys;
  publishEvent: PublishEvent;
}): SilenceWatch {
  const publish = (event: DriverPresenceEvent) => publishEvent(tripTopic(event.tripId), event);

  return {
    async look(partition, { silentAfterMs, nowMs }) {
      const noted = keys.silentDrivers(partition);
      const at = new Date(nowMs).toISOString();
      const counts = { silent: 0, heard: 0 };

      async function lookAt(driverId: string, value: Buffer, notedTripId: string | undefined): Promise<void> {
        const isSilent = isOnTripSince(value, nowMs - silentAfterMs);
        if (!isSilent && notedTripId === undefined) return;
        const tripId = peekTripId(value);
        if (isSilent && tripId !== undefined && tripId !== notedTripId) {
          const lastFixAgeMs = Math.round(nowMs - peekRecordedAtMs(value));
          await publish({ name: 'driver.silent', tripId, driverId, at, lastFixAgeMs });
          await redis.hset(noted, driverId, tripId);
          await redis.pexpire(noted, rememberMs);
          counts.silent += 1;
        } else if (!isSilent) {
          if (tripId !== undefined && tripId === notedTripId) {
            await publish({ name: 'driver.heard', tripId, driverId, at });
            counts.heard += 1;
          }
          await redis.hdel(noted, driverId);
        }
      }

      try {
        const known = new Map(Object.entries(await redis.hgetall(noted)));
        for (let cursor: string | undefined; cursor !== '0'; ) {
          const [next, entries] = await redis.hscanBuffer(keys.positions(partition), cursor ?? '0', 'COUNT', scanCount);
          cursor = next.toString();
          for (let index = 0; index + 1 < entries.length; index += 2) {
            const driverId = (entries[index] as Buffer).toString('latin1');
            await lookAt(driverId, entries[index + 1] as Buffer, known.get(driverId));
          }
        }
      } catch (error) {
        throw toRedisError(error);
      }
      return counts;
    },
  };
}
