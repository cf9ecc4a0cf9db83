import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { TripSnapshot } from '@hushryd/contracts/realtime/server-frames';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { mayReadTrip, mayWatchTrip as mayWatch } from '@hushryd/tracking/trip-access/access-rules';
import { toTripSnapshot } from '@hushryd/tracking/trip-access/trip-snapshot';
import type { Connection, Membership } from '../connections/connection.ts';
import type { EventStreams } from './event-streams.ts';
import type { Hub } from './hub.ts';
import { roomNumber } from './room-listeners.ts';
import type { Rooms } from './rooms.ts';
import { subscribedFrame } from './subscribed-frame.ts';
import type { Room, Subscription } from './subscription.ts';

export interface TripRooms {
  /**
   * Subscribe a socket to a trip: `subscribed` with where the event log stands, the newest position, the events it missed, then live.
   *
   * @param place what stands in the connection's memberships for it; if it is there no more, nothing is sent
   * @param seen the last event that the client saw, where it comes back
   * @throws AppError `not_found` (unknown or somebody else's), `access_unavailable`, `redis_unavailable`
   */
  join(request: {
    connection: Connection;
    tripId: string;
    id: number | undefined;
    place: Membership;
    seen?: TopicHead | undefined;
  }): Promise<void>;
  onOpened(room: Room): void;
  onClosed(room: Room): void;
  /** What a client of this trip's topic begins again with. */
  snapshotOf(topic: string): TripSnapshot | undefined;
  /** From the event streams: an event was passed on. */
  onPassedOn(message: TopicMessage): void;
  /** From the access cache: a watched trip's record changed. */
  onAccess(access: TripAccess): void;
  /** Called a few times a second: events that are overdue are read. */
  sweep(): void;
}

/** What a trip's room knows beside its members. */
interface TripRoom {
  readonly room: Room;
  /** Version of the trip that the events passed on have reached. */
  eventVersion: number;
  /** A record whose event has not come yet. */
  owed: OwedEvent | undefined;
}

interface OwedEvent {
  readonly access: TripAccess;
  /** Monotonic; infinite while the log is being read. */
  dueAtMs: number;
}

/** Record and event leave Redis together; the one that came by pub/sub may be late or lost. */
const eventOverdueMs = 1000;

/**
 * Trips' rooms: positions and events of a trip, and who may be told of them.
 *
 * When a record changes, whoever may not watch any longer hears `unsubscribed`, and nothing after it. A trip's own people lose it by
 * its end; they get `trip.ended` first, unless the log cannot be read either: then they are sent off without it, and those who stay
 * get it as soon as it can be read. A record without its event shows that the event was lost on its way: it is read from the log.
 */
export function createTripRooms({
  rooms,
  hub,
  access: accessCache,
  streams,
  mayWatchTrip = mayWatch,
  monotonicMs = () => performance.now(),
}: {
  rooms: Rooms;
  hub: Hub;
  access: AccessCache;
  streams: EventStreams;
  /** The rule of who is in a trip's room. */
  mayWatchTrip?: typeof mayWatch;
  monotonicMs?: () => number;
}): TripRooms {
  const trips = new Map<string, TripRoom>();
  const owing = new Set<TripRoom>();

  async function join(request: Parameters<TripRooms['join']>[0]): Promise<void> {
    // Watched from before the look until the room watches for itself: no change falls in between.
    accessCache.watch(request.tripId);
    try {
      await joinWatched(request);
    } finally {
      accessCache.unwatch(request.tripId);
    }
  }

  async function joinWatched({ connection, tripId, id, place, seen }: Parameters<TripRooms['join']>[0]): Promise<void> {
    const topic = tripTopic(tripId);
    const access = await accessCache.load(tripId);
    if (connection.memberships?.get(topic) !== place) return;
    if (access === null || !mayWatchTrip(connection.identity, access)) throw new AppError('not_found');

    const subscription = rooms.enter({ connection, place, topic, driverId: access.driverId, tripId });
    const listener = streams.enter({ connection, topic, eventClass: 'event' });
    subscription.events = listener;
    const [caughtUp] = await Promise.all([streams.catchUp(listener, seen), hub.catchUp(access.driverId)]);
    if (subscription.state !== 'joining') return;
    connection.sendFrame({
      ...subscribedFrame({ id, topic, caughtUp, snapshot: snapshotOf(topic) }),
      ...roomNumber(subscription),
    });
    hub.goLive(subscription);
    streams.goLive(listener, caughtUp);
  }

  function snapshotOf(topic: string): TripSnapshot | undefined {
    const tripId = trips.get(topic)?.room.tripId;
    const access = tripId === undefined ? undefined : accessCache.peek(tripId);
    return access && toTripSnapshot(access);
  }

  function onPassedOn({ topic, event }: TopicMessage): void {
    const trip = trips.get(topic);
    if (trip === undefined) return;
    // Not every event of a trip makes a version of it: that its driver fell silent does not.
    const { version } = event as { version?: number };
    if (version !== undefined) trip.eventVersion = Math.max(trip.eventVersion, version);
    if (trip.owed !== undefined && trip.eventVersion >= trip.owed.access.version) settle(trip, trip.owed.access);
  }

  function onAccess(access: TripAccess): void {
    const trip = trips.get(tripTopic(access.tripId));
    if (trip === undefined) return;
    const isEventOwed = access.version > trip.eventVersion;
    for (const subscription of trip.room.members) {
      const { identity } = subscription.connection;
      if (mayWatchTrip(identity, access)) continue;
      if (isEventOwed && mayReadTrip(identity, access)) continue;
      expel(subscription);
    }
    if (!isEventOwed) return;
    trip.owed = { access, dueAtMs: monotonicMs() + eventOverdueMs };
    owing.add(trip);
  }

  function settle(trip: TripRoom, access: TripAccess): void {
    trip.owed = undefined;
    owing.delete(trip);
    trip.eventVersion = Math.max(trip.eventVersion, access.version);
    expelForbidden(trip, access);
  }

  function expelForbidden(trip: TripRoom, access: TripAccess): void {
    for (const subscription of trip.room.members) {
      if (mayWatchTrip(subscription.connection.identity, access)) continue;
      if (subscription.events !== undefined) streams.finish(subscription.events);
      expel(subscription);
    }
  }

  async function settleOverdue(trip: TripRoom, owed: OwedEvent): Promise<void> {
    const wasRead = await streams.recover(trip.room.topic);
    if (trip.owed !== owed) return;
    if (wasRead) {
      settle(trip, owed.access);
      return;
    }
    expelForbidden(trip, owed.access);
    owed.dueAtMs = monotonicMs() + eventOverdueMs;
  }

  return {
    join,
    onOpened(room) {
      if (room.tripId === undefined) return;
      trips.set(room.topic, { room, eventVersion: 0, owed: undefined });
      accessCache.watch(room.tripId);
    },
    onClosed(room) {
      const trip = trips.get(room.topic);
      if (trip === undefined || room.tripId === undefined) return;
      trips.delete(room.topic);
      owing.delete(trip);
      accessCache.unwatch(room.tripId);
    },
    snapshotOf,
    onPassedOn,
    onAccess,
    sweep() {
      const nowMs = monotonicMs();
      for (const trip of owing) {
        if (trip.owed === undefined || trip.owed.dueAtMs > nowMs) continue;
        trip.owed.dueAtMs = Number.POSITIVE_INFINITY;
        void settleOverdue(trip, trip.owed);
      }
    },
  };
}

function expel(subscription: Subscription): void {
  const { connection, room } = subscription;
  connection.memberships?.delete(room.topic);
  subscription.leave();
  connection.sendFrame({ type: 'unsubscribed', topic: room.topic, reason: 'forbidden' });
}
