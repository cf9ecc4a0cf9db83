import { sosTopic, tripTopic, userTopic } from '@hushryd/contracts/realtime/topics';
import type { ConnectionOptions } from './connection/connection-options.ts';
import type { ConnectionState } from './connection/connection-state.ts';
import type { Unsubscribe } from './connection/emitter.ts';
import { createFallbackConnection } from './fallback/fallback-connection.ts';
import type { FixReading } from './fixes/reading.ts';
import type { SosCall, SosDetails, SosOptions } from './sos/sos-sender.ts';
import { createClientSos } from './sos/with-sos.ts';
import { createTopicWatches } from './watching/topic-watches.ts';
import type { AlertHandlers, NearbyHandlers, Watch, WatchHandlers } from './watching/watch-handlers.ts';
import type { WatcherEvents } from './watching/watcher-events.ts';
import { onWatcherEvent } from './watching/watcher-events.ts';

export type RiderClientOptions = ConnectionOptions & SosOptions;

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
   * Cars around the rider, every three seconds while there are any. One neighbourhood at a time: another topic moves the watch, and the
   * handlers of the one before hear nothing more, as after its `close()`.
   * @param topic as `nearbyDrivers` of the HTTP client names it for a place
   */
  watchNearby(topic: string, handlers: NearbyHandlers): Watch;
  /**
   * Call for help. Sent at once, with or without a connection, and again every one to two seconds until somebody holds it; see `SosOptions`
   * for what is kept over a restart, and what to do after five seconds without an answer.
   */
  triggerSos(details?: SosDetails): SosCall;
  /**
   * Where this person is, while an alert of theirs is open: sent at once, by the socket or over HTTPS, and again until it is stored, with or
   * without a trip. Nothing more is sent once the server says that the alert has ended.
   * @throws RangeError where a time or place is not a finite number
   */
  sendSosFixes(alertId: string, readings: readonly FixReading[]): void;
  /**
   * An alert of one's own, or of somebody who named this user as an emergency contact (while it is open): what happens to it, and its trail.
   * Over a websocket only.
   */
  watchAlert(alertId: string, handlers: AlertHandlers): Watch;
  on<Name extends keyof WatcherEvents>(name: Name, listener: (value: WatcherEvents[Name]) => void): Unsubscribe;
}

/** Follows trips over one socket. */
export function createRiderClient(options: RiderClientOptions): RiderClient {
  const connection = createFallbackConnection(options);
  const watches = createTopicWatches(connection);
  const sos = createClientSos(connection, options, () => undefined);

  return {
    get state() {
      return connection.state;
    },
    serverTimeMs: connection.serverTimeMs,
    connect() {
      void sos.resume();
      return connection.connect();
    },
    close: connection.close,
    watchTrip: (tripId, handlers) => watches.watch(tripTopic(tripId), handlers),
    watchUser: (userId, handlers) => watches.watch(userTopic(userId), handlers),
    watchNearby: (topic, handlers) => watches.watchNearby(topic, handlers),
    triggerSos: (details = {}) => sos.trigger(details),
    sendSosFixes: sos.sendFixes,
    watchAlert: (alertId, handlers) => watches.watch(sosTopic(alertId), handlers),
    on: onWatcherEvent(connection),
  };
}
