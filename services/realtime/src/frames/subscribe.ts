import { findFilterProblem } from '@hushryd/contracts/http/filter-query';
import { alertStates } from '@hushryd/contracts/http/sos';
import type { SubFrame } from '@hushryd/contracts/realtime/client-frames';
import { parseTopic, type Topic } from '@hushryd/contracts/realtime/topics';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import { isStaff, mayWatchDriver } from '@hushryd/tracking/trip-access/access-rules';
import type { Connection, Membership } from '../connections/connection.ts';
import { createAlertFilter } from '../fanout/alert-filter.ts';
import { joinDriver } from '../fanout/driver-rooms.ts';
import { joinEvents } from '../fanout/event-rooms.ts';
import type { Fanout } from '../fanout/fanout.ts';
import type { FrameHandler } from './dispatch.ts';

/**
 * `sub`: join a topic. The client names an object, the server decides. Subscribing again to a topic begins it anew; with the place of
 * the last event that it saw, a client is told what it missed.
 *
 * @throws (as error frames) `not_found` for a topic or trip that is not there or not theirs, `forbidden` for what the role may never
 *   watch, `frame_invalid` for half a place or a filter that no alert could fit, `too_many_topics`, `access_unavailable`, `redis_unavailable`
 */
export function createSubscribeHandler({
  fanout,
  maxTopics,
}: {
  fanout: Fanout;
  maxTopics: number;
}): FrameHandler<SubFrame> {
  return async (connection, frame) => {
    const topic = parseTopic(frame.topic);
    if (topic === undefined) throw new AppError('not_found', { detail: 'no such topic' });
    if (!mayAsk(connection.identity, topic)) throw new AppError('forbidden');
    const seen = readSeen(frame);
    if (topic.kind === 'admin:sos') assertAlertFilter(frame);

    const place = holdPlace(connection, frame.topic, maxTopics);
    try {
      await join(connection, place, topic, frame, seen);
    } catch (error) {
      if (connection.memberships?.get(frame.topic) === place) leaveTopic(connection, frame.topic);
      throw error;
    }
  };

  function join(
    connection: Connection,
    place: Membership,
    topic: Topic,
    { id, topic: name, filter }: SubFrame,
    seen: TopicHead | undefined,
  ): Promise<void> {
    switch (topic.kind) {
      case 'trip':
        return fanout.tripRooms.join({ connection, tripId: topic.tripId, id, place, seen });
      case 'driver':
        return joinDriver(fanout, { connection, place, driverId: topic.driverId, id });
      case 'user':
        return joinEvents(fanout, { connection, place, topic: name, eventClass: 'event', id, seen, judge: undefined });
      case 'nearby':
        return fanout.nearbyCells.join({ connection, id, place, cell: topic.cell });
      case 'sos':
        return fanout.alertRooms.join({ connection, place, alertId: topic.alertId, topic: name, id, seen });
      case 'admin:sos':
        return joinEvents(fanout, {
          ...{ connection, place, topic: name, eventClass: 'sos', id, seen },
          judge: filter && createAlertFilter(filter),
        });
      case 'admin:map':
        return fanout.adminMap.join({ connection, id, place, filter });
    }
  }
}

/** What the identity alone decides; who is on a trip, or whose alert it is, is asked for when it is joined. */
function mayAsk(identity: Identity, topic: Topic): boolean {
  if (topic.kind === 'driver') return mayWatchDriver(identity, topic.driverId);
  if (topic.kind === 'user') return identity.userId === topic.userId;
  if (topic.kind === 'nearby') return identity.role === 'rider' || isStaff(identity);
  return topic.kind === 'trip' || topic.kind === 'sos' || isStaff(identity);
}

function readSeen({ epoch, offset }: SubFrame): TopicHead | undefined {
  if (epoch === undefined && offset === undefined) return undefined;
  if (epoch !== undefined && offset !== undefined) return { epoch, offset };
  throw new AppError('frame_invalid', { detail: 'epoch and offset go together' });
}

/** A misspelt state would look like a quiet night. */
function assertAlertFilter({ filter = {} }: SubFrame): void {
  const problem = findFilterProblem(filter, alertStates);
  if (problem !== undefined) throw new AppError('frame_invalid', { detail: `filter: ${problem}` });
}

/** The topic counts from now on, whatever its subscription still waits for. Who finds another place than his own gives up. */
function holdPlace(connection: Connection, topic: string, maxTopics: number): Membership {
  leaveTopic(connection, topic);
  connection.memberships ??= new Map();
  if (connection.memberships.size >= maxTopics) throw new AppError('too_many_topics');
  const place: Membership = { leave: () => undefined };
  connection.memberships.set(topic, place);
  return place;
}

/** @returns false where the socket was not in it */
export function leaveTopic(connection: Connection, topic: string): boolean {
  const membership = connection.memberships?.get(topic);
  if (membership === undefined) return false;
  connection.memberships?.delete(topic);
  membership.leave();
  return true;
}
