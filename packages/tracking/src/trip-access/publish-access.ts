import type { TripEvent } from '@hushryd/contracts/events/topic-event';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import { createPublishChange } from '@hushryd/platform/topics/publish-change';

/** Records of trips that can still change are renewed by the worker every minute; an ended one is asked for less and less. */
const currentKeepMs = 86_400_000;
const endedKeepMs = 3_600_000;

export interface AccessChange {
  readonly access: TripAccess;
  /** What led to this version, where it is known. */
  readonly event?: TripEvent;
}

export interface AccessPublisher {
  /** After the majority write: put the record in place, tell every node, and announce the event on the trip's topic. */
  publish(change: AccessChange): Promise<{ applied: boolean; head?: TopicHead }>;
  /**
   * Put back what Redis may have lost, and announce what whoever made the change has not announced yet; nobody is told of records that
   * Redis still has. @returns how many were missing or older
   */
  republish(changes: readonly AccessChange[]): Promise<number>;
}

/**
 * Trip access in Redis: who may watch a trip, and which fixes count for it. MongoDB is the truth, versions decide.
 *
 * @throws AppError `redis_unavailable`; the command has succeeded all the same, the worker republishes within 2 s
 * Cost: one EVALSHA a record.
 */
export function createAccessPublisher({ redis, keys }: { redis: RedisClient; keys: Keys }): AccessPublisher {
  const publishChange = createPublishChange({ redis, keys });

  const apply = ({ access, event }: AccessChange, isRepair: boolean) =>
    publishChange({
      topic: tripTopic(access.tripId),
      recordKey: keys.tripAccess(access.tripId),
      record: access,
      recordKeepMs: access.state === 'ended' ? endedKeepMs : currentKeepMs,
      logEntry: access.tripId,
      event,
      isRepair,
    });

  return {
    publish: (change) => apply(change, false),
    async republish(changes) {
      const results = await Promise.all(changes.map((change) => apply(change, true)));
      return results.filter(({ applied }) => applied).length;
    },
  };
}
