import type { DriverPresenceEvent } from '@hushryd/contracts/events/topic-event';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { createAttempts } from '@hushryd/platform/lifecycle/attempts';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import type { PublishEvent } from '@hushryd/platform/topics/publish-event';
import { isOnTrip, peekRecordedAtMs, peekTripId } from '../feed/packed-positions.ts';

const scanCount = 500;
/** A driver who does not come back is forgotten after this. */
const rememberMs = 86_400_000;

export interface SilenceWatch {
  /**
   * Look at one partition's drivers who are on a trip. Looks of one partition may not overlap.
   *
   * @param silentAfterMs a driver of whom nothing has come for this long is silent
   * @param liveMaxAgeMs so old, by the phone's clock, may a fix be that moves a position: phones may be behind by as much
   * @returns how many trips were told that their driver fell silent, or is heard again
   */
  look(
    partition: number,
    options: { silentAfterMs: number; liveMaxAgeMs: number; nowMs: number },
  ): Promise<{ silent: number; heard: number }>;
}

/**
 * Tells a trip's topic when its driver falls silent, with the age of the last fix, and when he is heard again. A phone that dies says no
 * goodbye, so presence is what his fixes show and nothing else.
 *
 * Whether he is silent is decided by our clock, since a phone's may be wrong: he was heard when a look first found his position changed.
 * A position that a watch finds at its first look came at its own time and `liveMaxAgeMs` later at the latest, so after a change of
 * workers silence may be told by so much later, and nobody who speaks is called silent.
 *
 * Told first and noted then: whoever takes over in between tells it again, and nobody is left without. An event that cannot be told
 * keeps no other from being told.
 *
 * @throws AppError `redis_unavailable`; the next look goes on
 * Cost: HSCAN over the partition, 500 a step, two numbers read of each position; one script call an event. Remembers two numbers for each
 *   driver on a trip.
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
  const heardByPartition = new Map<number, Map<string, Heard>>();

  return {
    async look(partition, { silentAfterMs, liveMaxAgeMs, nowMs }) {
      const noted = keys.silentDrivers(partition);
      const at = new Date(nowMs).toISOString();
      const counts = { silent: 0, heard: 0 };
      const before = heardByPartition.get(partition);
      // Of the drivers who are there now, so that it does not grow.
      const heard = new Map<string, Heard>();
      const work = createAttempts();

      function whenHeard(driverId: string, value: Buffer, isNoted: boolean): number {
        const recordedAtMs = peekRecordedAtMs(value);
        const previous = heard.get(driverId) ?? before?.get(driverId);
        let current = previous;
        if (current?.recordedAtMs !== recordedAtMs) {
          // Of whom it was told that he is silent, news is needed to believe the contrary.
          const isOldNews = isNoted && previous === undefined;
          const heardAtMs = isOldNews ? recordedAtMs : Math.min(nowMs, recordedAtMs + liveMaxAgeMs);
          current = { recordedAtMs, heardAtMs };
        }
        heard.set(driverId, current);
        return current.heardAtMs;
      }

      async function lookAt(driverId: string, value: Buffer, known: Map<string, Noted>): Promise<void> {
        const note = known.get(driverId);
        const isSilent = isOnTrip(value) && whenHeard(driverId, value, note !== undefined) <= nowMs - silentAfterMs;
        if (!isSilent && note === undefined) return;
        const tripId = peekTripId(value);
        if (isSilent && tripId !== undefined && tripId !== note?.tripId) {
          const lastFixAgeMs = Math.max(0, Math.round(nowMs - peekRecordedAtMs(value)));
          await publish({ name: 'driver.silent', tripId, driverId, at, lastFixAgeMs });
          // HSCAN may show a driver twice.
          known.set(driverId, { tripId, notedAtMs: nowMs });
          counts.silent += 1;
          await redis.hset(noted, driverId, encodeNoted({ tripId, notedAtMs: nowMs }));
        } else if (!isSilent) {
          if (tripId !== undefined && tripId === note?.tripId) {
            await publish({ name: 'driver.heard', tripId, driverId, at });
            counts.heard += 1;
          }
          known.delete(driverId);
          await redis.hdel(noted, driverId);
        }
      }

      try {
        const known = readNoted(await redis.hgetall(noted));
        for (let cursor: string | undefined; cursor !== '0'; ) {
          const [next, entries] = await redis.hscanBuffer(keys.positions(partition), cursor ?? '0', 'COUNT', scanCount);
          cursor = next.toString();
          for (let index = 0; index + 1 < entries.length; index += 2) {
            const driverId = (entries[index] as Buffer).toString('latin1');
            await work.make(() => lookAt(driverId, entries[index + 1] as Buffer, known));
          }
        }
        heardByPartition.set(partition, heard);
        const forgotten = [...known].filter(([, { notedAtMs }]) => notedAtMs < nowMs - rememberMs);
        if (forgotten.length > 0) await redis.hdel(noted, ...forgotten.map(([driverId]) => driverId));
        work.throwFirst();
      } catch (error) {
        throw toRedisError(error);
      }
      return counts;
    },
  };
}

/** When a look found this position for the first time, by our clock. */
interface Heard {
  readonly recordedAtMs: number;
  readonly heardAtMs: number;
}

/** The trip that was told of a driver's silence, and when. */
interface Noted {
  readonly tripId: string;
  readonly notedAtMs: number;
}

const encodeNoted = ({ tripId, notedAtMs }: Noted): string => `${tripId}:${notedAtMs}`;

function readNoted(fields: Record<string, string>): Map<string, Noted> {
  return new Map(
    Object.entries(fields).map(([driverId, text]) => {
      const [tripId = '', notedAtMs] = text.split(':');
      return [driverId, { tripId, notedAtMs: Number(notedAtMs) }];
    }),
  );
}
