import type { SubFrame } from '@hushryd/contracts/realtime/client-frames';
import { parseTopic } from '@hushryd/contracts/realtime/topics';
import { AppError } from '@hushryd/platform/errors/app-error';
import { isStaff, mayWatchDriver } from '@hushryd/tracking/trip-access/access-rules';
import type { Connection, Membership } from '../connections/connection.ts';
import type { AdminMap } from '../fanout/admin-map.ts';
import { joinDriver } from '../fanout/driver-rooms.ts';
import type { Hub } from '../fanout/hub.ts';
import type { Rooms } from '../fanout/rooms.ts';
import type { TripRooms } from '../fanout/trip-rooms.ts';
import type { FrameHandler } from './dispatch.ts';

/**
 * `sub`: join a topic. The client names an object, the server decides. Subscribing again to a topic begins it anew, with a snapshot.
 *
 * @throws (as error frames) `not_found` for a topic or trip that is not there or not theirs, `forbidden` for what the role may never
 *   watch, `too_many_topics`, `access_unavailable`, `redis_unavailable`
 */
export function createSubscribeHandler({
  rooms,
  hub,
  tripRooms,
  adminMap,
  maxTopics,
}: {
  rooms: Rooms;
  hub: Hub;
  tripRooms: TripRooms;
  adminMap: AdminMap;
  maxTopics: number;
}): FrameHandler<SubFrame> {
  return async (connection, { id, topic: name }) => {
    const topic = parseTopic(name);
    if (topic === undefined) throw new AppError('not_found', { detail: 'no such topic' });
    if (topic.kind === 'driver' && !mayWatchDriver(connection.identity, topic.driverId))
      throw new AppError('forbidden');
    if (topic.kind === 'admin:map' && !isStaff(connection.identity)) throw new AppError('forbidden');

    const place = holdPlace(connection, name, maxTopics);
    try {
      if (topic.kind === 'trip') await tripRooms.join({ connection, tripId: topic.tripId, id, place });
      else if (topic.kind === 'driver')
        await joinDriver({ rooms, hub }, { connection, place, driverId: topic.driverId, id });
      else await adminMap.join({ connection, id, place });
    } catch (error) {
      if (connection.memberships?.get(name) === place) leaveTopic(connection, name);
      throw error;
    }
  };
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
