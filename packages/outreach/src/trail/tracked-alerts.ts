import type { AlertState } from '@hushryd/contracts/http/sos';
import type { TrailPoint } from '@hushryd/contracts/http/sos-trail';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import type { AlertDocument } from '../alerts/alert-document.ts';

/** What Redis knows of an alert that is followed. */
export interface TrackedAlert {
  alertId: string;
  userId: string;
  status: AlertState;
  startedAt: string;
  tripId?: string;
}

export interface TrackedAlerts {
  /** Begin to follow an alert, or say how it stands. One that has ended is forgotten. @param alert.startedAtMs unless it is known */
  note(
    alert: Pick<AlertDocument, '_id' | 'state' | 'person'> & { trigger: { tripId?: string }; startedAtMs: number },
  ): Promise<void>;
  /** It has ended. */
  forget(alertId: string): Promise<void>;
  /** Where it is now. An older place than the one known may come after it; whoever needs the order reads the trail. */
  noteLocation(alertId: string, point: TrailPoint): Promise<void>;
  /** @returns undefined where it is not followed, or Redis has lost it */
  find(alertId: string): Promise<TrackedAlert | undefined>;
}

/** An alert that nobody says anything of for so long has been forgotten by all. While it is open the worker says it again and again. */
const keepMs = 3_600_000;
const openStates: readonly AlertState[] = ['open', 'acknowledged'];

/**
 * `sos:tracking:{alertId}`: the alerts that are followed right now, as Redis has them. A copy: MongoDB is the truth, and the copy stands in
 * for it only while it is away, so that a person's fixes go on to those who watch.
 *
 * @throws AppError `redis_unavailable`
 * Cost: one round trip.
 */
export function createTrackedAlerts({ redis, keys }: { redis: RedisClient; keys: Keys }): TrackedAlerts {
  async function attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw toRedisError(error);
    }
  }

  return {
    note: ({ _id: alertId, state, person, trigger, startedAtMs }) =>
      attempt(async () => {
        const key = keys.sosTracking(alertId);
        if (!openStates.includes(state)) {
          await redis.del(key);
          return;
        }
        const fields = {
          userId: person.userId,
          status: state,
          ...(trigger.tripId !== undefined && { tripId: trigger.tripId }),
        };
        await Promise.all([
          redis.hset(key, fields),
          redis.hsetnx(key, 'startedAt', new Date(startedAtMs).toISOString()),
          redis.pexpire(key, keepMs),
        ]);
      }),

    forget: (alertId) => attempt(async () => void (await redis.del(keys.sosTracking(alertId)))),

    noteLocation: (alertId, point) =>
      attempt(async () => {
        const key = keys.sosTracking(alertId);
        await Promise.all([redis.hset(key, 'lastLocation', JSON.stringify(point)), redis.pexpire(key, keepMs)]);
      }),

    find: (alertId) =>
      attempt(async () => {
        const { userId, status, startedAt, tripId } = await redis.hgetall(keys.sosTracking(alertId));
        // A place alone is left of one whose beginning was lost.
        if (userId === undefined || status === undefined || startedAt === undefined) return undefined;
        return {
          alertId,
          userId,
          status: status as AlertState,
          startedAt,
          ...(tripId !== undefined && { tripId }),
        };
      }),
  };
}
