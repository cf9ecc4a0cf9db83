import type { Connection, Membership } from '../connections/connection.ts';
import type { EventStreams } from './event-streams.ts';
import type { Hub } from './hub.ts';
import type { SlowConsumers } from './slow-consumer.ts';
import type { Room, Subscription } from './subscription.ts';

export interface Rooms {
  get(topic: string): Room | undefined;
  /** Make the connection a joining member; the first one opens the room. Leaving its place leaves the room. */
  enter(member: {
    connection: Connection;
    place: Membership;
    topic: string;
    driverId: string;
    tripId?: string | undefined;
    isTrail?: boolean;
  }): Subscription;
}

/**
 * The rooms of this node: opened by the first member, closed when the last one leaves.
 */
export function createRooms({
  hub,
  slowConsumers,
  streams,
  onOpened,
  onClosed,
}: {
  hub: Hub;
  slowConsumers: SlowConsumers;
  streams: Pick<EventStreams, 'leave'>;
  onOpened: (room: Room) => void;
  onClosed: (room: Room) => void;
}): Rooms {
  const rooms = new Map<string, Room>();

  function open(wanted: Parameters<Hub['openRoom']>[0]): Room {
    const room = hub.openRoom(wanted);
    rooms.set(room.topic, room);
    onOpened(room);
    return room;
  }

  function leave(subscription: Subscription): void {
    const { room } = subscription;
    hub.leave(subscription);
    slowConsumers.untrack(subscription);
    if (subscription.events !== undefined) streams.leave(subscription.events);
    if (room.members.size > 0 || rooms.get(room.topic) !== room) return;
    rooms.delete(room.topic);
    hub.closeRoom(room);
    onClosed(room);
  }

  return {
    get: (topic) => rooms.get(topic),
    enter({ connection, place, topic, driverId, tripId, isTrail = false }) {
      const room = rooms.get(topic) ?? open({ topic, driverId, tripId, isTrail });
      const subscription: Subscription = {
        connection,
        room,
        state: 'joining',
        pending: undefined,
        events: undefined,
        leave: () => leave(subscription),
      };
      place.leave = subscription.leave;
      room.members.add(subscription);
      slowConsumers.track(subscription);
      return subscription;
    },
  };
}
