import { tripTopic, userTopic } from '@hushryd/contracts/realtime/topics';
import type { ConnectionOptions } from './connection/connection-options.ts';
import type { ConnectionState } from './connection/connection-state.ts';
import type { Unsubscribe } from './connection/emitter.ts';
import { createFallbackConnection } from './fallback/fallback-connection.ts';
import { createTopicWatches } from './watching/topic-watches.ts';
import type { NearbyHandlers, Watch, WatchHandlers } from './watching/watch-handlers.ts';
import type { WatcherEvents } from './watching/watcher-events.ts';
import { onWatcherEvent } from './watching/watcher-events.ts';

export type RiderClientOptions = ConnectionOptions;

export interface RiderClient {
  readonly state: ConnectionState;
  /** The server's clock as far as we know it: a position's age is `serverTimeMs() - position.recordedAtMs`. */
  serverTimeMs(): number;
  /** Resolves once live, see `Connection.connect`. */
  connect(): Promise<void>;
  close(): void;
  /**
   * Follow a trip: its position at once, then every change. May be called before `connect`; goes on over reconnects.
   * @throws RangeError beyond 32 topics at a time
   */
  watchTrip(tripId: string, handlers: WatchHandlers): Watch;
  /** What the company says to this user, on all of their devices: `notice` events, in order, each once. */
  watchUser(userId: string, handlers: WatchHandlers): Watch;
  /**
   * Cars around the rider, every three seconds while there are any. One neighbourhood at a time: `close()` the watch of the last before
   * another.
   * @param topic as `nearbyDrivers` of the HTTP client names it for a place
   */
  watchNearby(topic: string, handlers: NearbyHandlers): Watch;
  on<Name extends keyof WatcherEvents>(name: Name, listener: (value: WatcherEvents[Name]) => void): Unsubscribe;
}

/** Follows trips over one socket. */
export function createRiderClient(options: RiderClientOptions): RiderClient {
  const connection = createFallbackConnection(options);
  const watches = createTopicWatches(connection);

  return {
    get state() {
      return connection.state;
    },
    serverTimeMs: connection.serverTimeMs,
    connect: connection.connect,
    close: connection.close,
    watchTrip: (tripId, handlers) => watches.watch(tripTopic(tripId), handlers),
    watchUser: (userId, handlers) => watches.watch(userTopic(userId), handlers),
    watchNearby: (topic, handlers) => watches.watch(topic, handlers),
    on: onWatcherEvent(connection),
  };
}
