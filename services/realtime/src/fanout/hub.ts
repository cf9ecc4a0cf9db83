import type { Position } from '@hushryd/contracts/fix';
import { encodePositionFrame } from '@hushryd/contracts/realtime/binary/position-frame';
import type { PositionSink } from '@hushryd/tracking/feed/packed-positions';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import type { RealtimeMetrics } from '../metrics.ts';
import { createBeaconPace, createBeaconWheel } from './beacon-wheel.ts';
import { beaconFrame, encodePosition, goneFrame, positionFrame, trailFrame } from './encode-frames.ts';
import {
  beginToHear,
  binaryChannel,
  listenerCount,
  type Publish,
  publishText,
  sendPosition,
  stopHearing,
} from './room-listeners.ts';
import type { Room, Subscription } from './subscription.ts';

export interface Hub {
  /** What the position feed feeds. */
  readonly sink: PositionSink;
  /** Drivers watched here, of one partition: what the feed reads again after a gap. */
  watchedDrivers(partition: number): string[];
  /** Make a room and begin to follow its driver. */
  openRoom(room: { topic: string; driverId: string; tripId?: string | undefined; isTrail?: boolean }): Room;
  /** Forget an empty room, and its driver where no other room shows him. */
  closeRoom(room: Room): void;
  /**
   * Read the driver's stored position and pass it on as if it had come by the feed.
   * @throws AppError `redis_unavailable`
   */
  catchUp(driverId: string): Promise<void>;
  /** Send the room's newest position, if there is one, and everything newer from here on. In one tick, so nothing falls between. */
  goLive(subscription: Subscription): void;
  leave(subscription: Subscription): void;
  /** Called every `beaconTurnMs`: rooms that have said nothing for a while say once more how far they are. */
  sendBeacons(): void;
  readonly roomCount: number;
}

/** The newest that was heard of a driver. */
interface Heard {
  newest: Position | undefined;
  /** Kept when he is gone: what is at or below it is old for ever. */
  run: number;
  seq: number;
  /** What the newest was when he went. */
  left: Position | undefined;
}

/** A driver that somebody here watches. */
interface WatchedDriver extends Heard {
  readonly rooms: Set<Room>;
}

/**
 * Who on this node watches which driver or trip, and what they have been told.
 *
 * Positions come from the feed, from its repairs and from reads for new subscribers, in any order and more than once; each driver's
 * (run, seq) decides, so a room never sees a position go back or twice. A trip's room gets a position only while it counts for that
 * trip: where the driver goes afterwards is not its business.
 *
 * Cost: a position is encoded once a lane that somebody reads it in, and once more for each topic it goes to; uWS copies it to the
 * sockets.
 */
export function createHub({
  publish,
  reader,
  partitionOf,
  metrics,
  onHanded,
  isNews = isNewer,
  encodeBinary = encodePositionFrame,
}: {
  publish: Publish;
  reader: PositionReader;
  partitionOf: (driverId: string) => number;
  metrics: RealtimeMetrics;
  /** A position was published to the room. */
  onHanded?: (room: Room) => void;
  /** The guard: does this position say something after the newest that was heard of the driver? */
  isNews?: (position: Position, heard: Heard) => boolean;
  /** What the binary lane is told; another one shows that a difference between the lanes is found out. */
  encodeBinary?: typeof encodePositionFrame;
}): Hub {
  const drivers = new Map<string, WatchedDriver>();
  let roomCount = 0;
  let lastRoomNumber = 0;
  const beacons = createBeaconWheel<Room>();

  function onPosition(position: Position): void {
    const driver = drivers.get(position.driverId);
    if (driver === undefined || !isNews(position, driver)) return;
    driver.newest = position;
    driver.left = undefined;
    driver.run = position.run;
    driver.seq = position.seq;
    let encoded: string | undefined;
    for (const room of driver.rooms) {
      if (!shows(room, position)) continue;
      if (room.isTrail) {
        publishText(publish, room, trailFrame(room.topic, position));
      } else {
        encoded = publishPosition(room, position, encoded);
      }
      noteHanded(room);
      for (const subscription of room.slow) conflate(subscription, position);
    }
  }

  /** @param encoded the position as JSON, where another room has needed it */
  function publishPosition(room: Room, position: Position, encoded: string | undefined): string | undefined {
    let json = encoded;
    if (room.listeners.json > 0) {
      json ??= encodePosition(position);
      publish(room.topic, positionFrame(room.topic, json));
    }
    if (room.listeners.binary > 0) {
      const namesTrip = room.tripId === undefined;
      publish(binaryChannel(room), encodeBinary({ room: room.number, position, namesTrip }));
    }
    return json;
  }

  function onGone(driverId: string): void {
    const driver = drivers.get(driverId);
    const last = driver?.newest;
    if (driver === undefined || last === undefined) return;
    driver.newest = undefined;
    driver.left = last;
    for (const room of driver.rooms) {
      // A trail goes on where it ended; that nothing new comes, its readers see by the age of the newest.
      if (room.isTrail || !shows(room, last)) continue;
      publishText(publish, room, goneFrame(room.topic, driverId));
      noteHanded(room);
      for (const subscription of room.slow) conflate(subscription, 'gone');
    }
  }

  /** What the room shows: a position, that there is none, or nothing, since the driver is on a trip that is not the room's. */
  function newestOf(room: Room): Position | 'gone' | undefined {
    const { newest, left } = drivers.get(room.driverId) ?? {};
    if (newest !== undefined) return shows(room, newest) ? newest : undefined;
    return left === undefined || shows(room, left) ? 'gone' : undefined;
  }

  function noteHanded(room: Room): void {
    const count = listenerCount(room);
    if (count === 0) return;
    beacons.spoke(room);
    onHanded?.(room);
    metrics.produced.location += count;
    metrics.handedOver.location += count;
  }

  function conflate(subscription: Subscription, news: Position | 'gone'): void {
    metrics.produced.location += 1;
    if (subscription.pending !== undefined) metrics.conflated.location += 1;
    subscription.pending = news;
  }

  return {
    sink: { wants: (driverId) => drivers.has(driverId), onPosition, onGone },

    watchedDrivers(partition) {
      return [...drivers.keys()].filter((driverId) => partitionOf(driverId) === partition);
    },

    openRoom({ topic, driverId, tripId, isTrail = false }) {
      lastRoomNumber += 1;
      const room: Room = {
        topic,
        number: lastRoomNumber,
        driverId,
        tripId,
        isTrail,
        members: new Set(),
        listeners: { json: 0, binary: 0 },
        slow: new Set(),
        beacon: createBeaconPace(),
      };
      const driver = drivers.get(driverId);
      if (driver === undefined)
        drivers.set(driverId, { rooms: new Set([room]), newest: undefined, run: 0, seq: 0, left: undefined });
      else driver.rooms.add(room);
      beacons.add(room);
      roomCount += 1;
      return room;
    },

    closeRoom(room) {
      const driver = drivers.get(room.driverId);
      if (!driver?.rooms.delete(room)) return;
      beacons.remove(room);
      roomCount -= 1;
      if (driver.rooms.size === 0) drivers.delete(room.driverId);
    },

    async catchUp(driverId) {
      const position = await reader.read(driverId);
      const known = drivers.get(driverId)?.newest;
      // The same fix read again says nothing new: its state may be from before what the feed brought meanwhile.
      if (position !== null && !(known !== undefined && isSameFix(position, known))) onPosition(position);
    },

    goLive(subscription) {
      const { room } = subscription;
      const newest = newestOf(room);
      if (newest !== undefined && newest !== 'gone') sendPosition(subscription, newest);
      // Also of a driver who is gone: whoever comes back from elsewhere may still have a position of him.
      if (newest !== undefined) beacons.spoke(room);
      if (subscription.state !== 'joining') return;
      subscription.state = 'live';
      beginToHear(subscription);
    },

    leave(subscription) {
      const { room } = subscription;
      if (!room.members.delete(subscription)) return;
      if (subscription.state === 'live') stopHearing(subscription);
      room.slow.delete(subscription);
      if (subscription.pending !== undefined) metrics.dropped.location += 1;
      subscription.state = 'over';
      subscription.pending = undefined;
    },

    sendBeacons() {
      for (const room of beacons.turn()) {
        const newest = newestOf(room);
        const count = listenerCount(room);
        if (newest === undefined || count === 0 || room.isTrail) continue;
        publishText(publish, room, beaconFrame(room.topic, newest, undefined));
        metrics.produced.beacon += count;
        metrics.handedOver.beacon += count;
      }
    },

    get roomCount() {
      return roomCount;
    },
  };
}

const shows = (room: Room, position: Position): boolean => room.tripId === undefined || room.tripId === position.tripId;

/** Above what is known; or the same fix under another state or trip: a driver went off, a trip ended. */
function isNewer(position: Position, heard: Heard): boolean {
  if (position.run !== heard.run) return position.run > heard.run;
  if (position.seq !== heard.seq) return position.seq > heard.seq;
  const { newest } = heard;
  return newest === undefined || newest.state !== position.state || newest.tripId !== position.tripId;
}

const isSameFix = (a: Position, b: Position): boolean => a.run === b.run && a.seq === b.seq;
