import type { TopicEvent } from '@hushryd/contracts/events/topic-event';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { EventFeed, TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/publish-change';
import type { ReadEvents } from '@hushryd/platform/topics/read-events';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { mayReadTrip, mayWatchTrip as mayWatch } from '@hushryd/tracking/trip-access/access-rules';
import type { Connection, Membership } from '../connections/connection.ts';
import type { Hub } from './hub.ts';
import type { Rooms } from './rooms.ts';
import type { Room, Subscription } from './subscription.ts';

export interface TripRooms {
  /**
   * Subscribe a socket to a trip: `subscribed` with where the event log stands, the newest position, held events, then live.
   *
   * @param place what stands in the connection's memberships for it; if it is there no more, nothing is sent
   * @throws AppError `not_found` (unknown or somebody else's), `access_unavailable`, `redis_unavailable`
   */
  join(request: { connection: Connection; tripId: string; id: number | undefined; place: Membership }): Promise<void>;
  onOpened(room: Room): void;
  onClosed(room: Room): void;
  /** From the event feed. */
  wants(topic: string): boolean;
  onEvent(message: TopicMessage): void;
  /** The event feed missed something of this partition. */
  onGap(partition: number): void;
  /** From the access cache: a watched trip's record changed. */
  onAccess(access: TripAccess): void;
  /** Called a few times a second: events that are overdue are read. */
  sweep(): void;
}

/** What a trip's room knows beside its members. */
interface TripRoom {
  readonly room: Room;
  /** Of the last event passed on; undefined before the first look. */
  place: TopicHead | undefined;
  /** Version of the trip that the events passed on have reached. */
  eventVersion: number;
  /** A record whose event has not come yet. */
  owed: OwedEvent | undefined;
  recovery: Promise<boolean> | undefined;
}

interface OwedEvent {
  readonly access: TripAccess;
  /** Monotonic; infinite while the log is being read. */
  dueAtMs: number;
}

/** Record and event leave Redis together; the one that came by pub/sub may be late or lost. */
const eventOverdueMs = 1000;

/**
 * The event class of trips, and who may be in their rooms.
 *
 * Events go to each member in order, each once: the feed's numbers show a gap, a record without its event shows a loss, and both are
 * read again from the topic's log. What cannot be recovered is said: `subscribed` comes again with the new place.
 *
 * When a record changes, whoever may not watch any longer hears `unsubscribed`, and nothing after it. A trip's own people lose it by
 * its end; they get `trip.ended` first, unless the log cannot be read either: then they are sent off without it, and those who stay
 * get it as soon as it can be read.
 */
export function createTripRooms({
  rooms,
  hub,
  access: accessCache,
  events,
  readEvents,
  partitionOf,
  log,
  mayWatchTrip = mayWatch,
  monotonicMs = () => performance.now(),
}: {
  rooms: Rooms;
  hub: Hub;
  access: AccessCache;
  events: EventFeed;
  readEvents: ReadEvents;
  partitionOf: (topic: string) => number;
  log: Logger;
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

  async function joinWatched({ connection, tripId, id, place }: Parameters<TripRooms['join']>[0]): Promise<void> {
    const topic = tripTopic(tripId);
    const access = await accessCache.load(tripId);
    if (connection.memberships?.get(topic) !== place) return;
    if (access === null || !mayWatchTrip(connection.identity, access)) throw new AppError('not_found');

    const subscription = rooms.enter({ connection, place, topic, driverId: access.driverId, tripId });
    subscription.held = [];
    const [head] = await Promise.all([events.head(topic), hub.catchUp(access.driverId)]);
    if (subscription.state !== 'joining') return;
    const trip = trips.get(topic);
    if (trip !== undefined && head !== null) trip.place ??= head;
    connection.sendFrame({ type: 'subscribed', ...(id !== undefined && { id }), topic, ...head });
    hub.goLive(subscription);
    releaseHeld(subscription, head);
  }

  function releaseHeld(subscription: Subscription, head: TopicHead | null): void {
    const held = subscription.held ?? [];
    subscription.held = undefined;
    for (const message of held) {
      const isInSnapshot = head !== null && message.epoch === head.epoch && message.offset <= head.offset;
      if (!isInSnapshot) subscription.connection.send(encodeEvent(message), 'event');
    }
  }

  function onEvent(message: TopicMessage): void {
    const trip = trips.get(message.topic);
    if (trip === undefined) return;
    const { place } = trip;
    if (place !== undefined && place.epoch === message.epoch && message.offset <= place.offset) return;
    const isNext = place === undefined || (place.epoch === message.epoch && message.offset === place.offset + 1);
    if (isNext) passOn(trip, message);
    else void recover(trip);
  }

  function passOn(trip: TripRoom, message: TopicMessage): void {
    trip.place = { epoch: message.epoch, offset: message.offset };
    trip.eventVersion = Math.max(trip.eventVersion, (message.event as TopicEvent).version);
    const frame = encodeEvent(message);
    for (const subscription of trip.room.members) {
      if (subscription.held !== undefined) subscription.held.push(message);
      else subscription.connection.send(frame, 'event');
    }
    if (trip.owed !== undefined && trip.eventVersion >= trip.owed.access.version) settle(trip, trip.owed.access);
  }

  /** One at a time a room; whoever asks meanwhile waits for it. Resolves to false where the log could not be read. */
  function recover(trip: TripRoom): Promise<boolean> {
    trip.recovery ??= readMissed(trip)
      .then(
        () => true,
        (err: unknown) => {
          log.warn({ err, topic: trip.room.topic }, 'missed events could not be read');
          return false;
        },
      )
      .finally(() => {
        trip.recovery = undefined;
      });
    return trip.recovery;
  }

  async function readMissed(trip: TripRoom): Promise<void> {
    const { topic } = trip.room;
    const known = trip.place;
    // Nobody was told of any event yet: then all that the log holds were missed.
    const after = known ?? { epoch: (await events.head(topic))?.epoch ?? '', offset: 0 };
    const found = await readEvents(topic, after);
    if (trip.place !== known) return;
    if (found.recovered) {
      for (const message of found.messages) passOn(trip, message);
      return;
    }
    trip.place = found.head;
    for (const { connection, held } of trip.room.members) {
      if (held === undefined) connection.sendFrame({ type: 'subscribed', topic, ...found.head }, 'event');
    }
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
      if (!mayWatchTrip(subscription.connection.identity, access)) expel(subscription);
    }
  }

  async function settleOverdue(trip: TripRoom, owed: OwedEvent): Promise<void> {
    const wasRead = await recover(trip);
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
      trips.set(room.topic, { room, place: undefined, eventVersion: 0, owed: undefined, recovery: undefined });
      accessCache.watch(room.tripId);
    },
    onClosed(room) {
      const trip = trips.get(room.topic);
      if (trip === undefined || room.tripId === undefined) return;
      trips.delete(room.topic);
      owing.delete(trip);
      accessCache.unwatch(room.tripId);
    },
    wants: (topic) => trips.has(topic),
    onEvent,
    onGap(partition) {
      for (const trip of trips.values()) {
        if (partitionOf(trip.room.topic) === partition) void recover(trip);
      }
    },
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

const encodeEvent = ({ topic, epoch, offset, event }: TopicMessage): string =>
  JSON.stringify({ type: 'event', topic, epoch, offset, event });
