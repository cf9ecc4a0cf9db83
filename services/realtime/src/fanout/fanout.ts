import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisConnections } from '@hushryd/platform/redis/connect';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createEventFeed } from '@hushryd/platform/topics/event-feed';
import { createRecoverEvents } from '@hushryd/platform/topics/recover-events';
import type { AccessFollower } from '@hushryd/tracking/access-log/access-follower';
import { createLivePositions } from '@hushryd/tracking/feed/live-positions';
import { createPositionFeed } from '@hushryd/tracking/feed/position-feed';
import { createPassingIds } from '@hushryd/tracking/nearby/passing-ids';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import { type AccessCache, createAccessCache } from '@hushryd/tracking/trip-access/access-cache';
import type { mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';
import type { Connection } from '../connections/connection.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import { type AdminMap, createAdminMap } from './admin-map.ts';
import { type AlertRooms, createAlertRooms, type ResolveSosAccess } from './alert-rooms.ts';
import { beaconTurnMs } from './beacon-wheel.ts';
import { createEventStreams, type EventStreams } from './event-streams.ts';
import { createHeldPositions } from './held-positions.ts';
import type { createHub, Hub } from './hub.ts';
import { createNearbyCells, type NearbyCells } from './nearby-cells.ts';
import type { Publish } from './room-listeners.ts';
import { createRooms, type Rooms } from './rooms.ts';
import { createSlowConsumers, type SlowConsumers } from './slow-consumer.ts';
import { createSosRepeats, type SosRepeats } from './sos-repeats.ts';
import { createTripRooms, type TripRooms } from './trip-rooms.ts';

/** The guards of what sockets are told: which position is news, and who may watch. */
export interface FanoutGuards {
  createHub: typeof createHub;
  mayWatchTrip: typeof mayWatchTrip;
}

/** Everything between the feeds of Redis and the sockets of this node. */
export interface Fanout {
  readonly hub: Hub;
  readonly rooms: Rooms;
  readonly tripRooms: TripRooms;
  readonly alertRooms: AlertRooms;
  readonly adminMap: AdminMap;
  readonly nearbyCells: NearbyCells;
  readonly streams: EventStreams;
  readonly sosRepeats: SosRepeats;
  readonly access: AccessCache;
  readonly slowConsumers: SlowConsumers;
  /** The socket took some of what it holds. */
  drained(connection: Connection): void;
  /** The socket is gone. */
  closed(connection: Connection): void;
  /** To be started in this order, and closed in reverse. */
  readonly parts: readonly { name: string; part: { start(): void | Promise<void>; close(): Promise<void> } }[];
}

/**
 * Put the fan-out together: feeds in, rooms and streams in between, `publish` and `send` out.
 *
 * @param guards others than the real ones are for negative controls, which show that a broken one is found out
 */
export function createFanout({
  connections,
  keys,
  follower,
  reader,
  publish,
  resolveAccess,
  resolveSosAccess,
  slowBytes,
  guards,
  onFeedMessage,
  metrics,
  telemetry,
  log,
}: {
  connections: RedisConnections;
  keys: Keys;
  follower: Pick<AccessFollower, 'follow'>;
  reader: PositionReader;
  publish: Publish;
  resolveAccess: Parameters<typeof createAccessCache>[0]['resolve'];
  resolveSosAccess: ResolveSosAccess;
  slowBytes: number;
  guards: FanoutGuards;
  /** After each message of the position feed. */
  onFeedMessage?: () => void;
  metrics: RealtimeMetrics;
  telemetry: Telemetry;
  log: Logger;
}): Fanout {
  const access = createAccessCache({
    connections,
    keys,
    follower,
    resolve: resolveAccess,
    onChange: (record) => tripRooms.onAccess(record),
    log,
    telemetry,
  });
  const slowConsumers = createSlowConsumers({ slowBytes, metrics });
  const hub = guards.createHub({
    publish,
    reader,
    partitionOf: keys.driverPartition,
    metrics,
    onHanded: slowConsumers.handed,
  });
  const positions = createPositionFeed({
    connections,
    keys,
    sink: hub.sink,
    scope: { kind: 'watched', drivers: hub.watchedDrivers },
    ...(onFeedMessage && { onMessage: onFeedMessage }),
    log,
    telemetry,
  });
  const sosRepeats = createSosRepeats({ metrics });
  const events = createEventFeed({
    connections,
    keys,
    wants: (topic) => streams.wants(topic),
    onEvent: (message) => streams.onEvent(message),
    onPassing: (topic, what) => alertRooms.onPassing(topic, what),
    onGap: (partition) => streams.onGap(partition),
    log,
    telemetry,
  });
  const streams = createEventStreams({
    feed: events,
    recoverEvents: createRecoverEvents({ redis: connections.commands, keys }),
    partitionOf: keys.topicPartition,
    sosRepeats,
    snapshotOf: (topic) => tripRooms.snapshotOf(topic),
    onPassedOn: (message) => tripRooms.onPassedOn(message),
    slowBytes,
    metrics,
    log,
  });
  const rooms = createRooms({
    hub,
    slowConsumers,
    streams,
    onOpened: (room) => tripRooms.onOpened(room),
    onClosed: (room) => tripRooms.onClosed(room),
  });
  const tripRooms = createTripRooms({ rooms, hub, access, streams, mayWatchTrip: guards.mayWatchTrip });
  const alertRooms = createAlertRooms({ streams, rooms, hub, resolveSosAccess, slowBytes, log });
  const positionsOfAll = createHeldPositions({
    openPositions: () => createLivePositions({ connections, keys, log, telemetry }),
    log,
  });
  const adminMap = createAdminMap({ positions: positionsOfAll });
  const nearbyCells = createNearbyCells({
    positions: positionsOfAll,
    passingIds: createPassingIds({ redis: connections.commands, keys }),
  });

  const periodic = (
    name: string,
    everyMs: number,
    run: () => void | Promise<void>,
  ): { name: string; part: Periodic } => ({
    name,
    part: createPeriodic({ name, everyMs, run, log }),
  });
  return {
    hub,
    rooms,
    tripRooms,
    alertRooms,
    adminMap,
    nearbyCells,
    streams,
    sosRepeats,
    access,
    slowConsumers,
    drained(connection) {
      // What may not be left out goes first: of positions the newest is as good later.
      streams.drained(connection);
      slowConsumers.drained(connection);
      adminMap.drained(connection);
    },
    closed: (connection) => sosRepeats.forget(connection),
    parts: [
      { name: 'position feed', part: positions },
      { name: 'event feed', part: events },
      { name: 'positions of all', part: { start: () => undefined, close: positionsOfAll.close } },
      periodic('find slow sockets', 100, () => slowConsumers.sweep()),
      periodic('settle trip rooms', 250, () => tripRooms.sweep()),
      periodic('ask again who may hear of alerts', 2000, () => alertRooms.recheck()),
      periodic('repeat alerts', 500, () => sosRepeats.sweep()),
      periodic('read events again', 500, streams.retry),
      periodic('send beacons', beaconTurnMs, () => {
        hub.sendBeacons();
        streams.sendBeacons();
      }),
      periodic('tell the map', 1000, () => adminMap.round()),
      periodic('tell who is nearby', 3000, () => nearbyCells.round()),
    ],
  };
}
