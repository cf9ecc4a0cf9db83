import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { driverTopic, sosTopic, tripTopic, userTopic } from '@hushryd/contracts/realtime/topics';
import { createConnection } from './connection/connection.ts';
import type { ConnectionOptions } from './connection/connection-options.ts';
import type { RiderClient } from './rider-client.ts';
import type { SosOptions } from './sos/sos-sender.ts';
import { createClientSos } from './sos/with-sos.ts';
import { createTopicWatches } from './watching/topic-watches.ts';
import type { MapHandlers, MapWatch, Watch, WatchHandlers } from './watching/watch-handlers.ts';
import { onWatcherEvent } from './watching/watcher-events.ts';

export type ConsoleClientOptions = Omit<ConnectionOptions, 'fallback'> & SosOptions;

/** What a rider can do, and what only staff may. */
export interface ConsoleClient extends RiderClient {
  /**
   * The whole map, then once a second what changed. With a filter (also an empty one) only what fits, once in three seconds, and clusters
   * where more than 2,000 vehicles fit. After every reconnect all of it comes again.
   */
  watchMap(handlers: MapHandlers, options?: { filter?: TopicFilter | undefined }): MapWatch;
  /**
   * Alerts. Each is acknowledged by itself once an `onEvent` has returned; until then the server says it again. With a filter only those
   * that fit, and that one has stopped to; nothing else of the rest is told, no sound either. Watches of one client share a subscription, so
   * that none narrows another: while they do not all ask for the same (or one has no filter) nothing is filtered, each is told of all alerts,
   * and none is `isGone`. Whoever watches so looks whether an alert fits, or uses a client for each filter. At each change `onSubscribed` is
   * called: list what is there.
   */
  watchAlerts(handlers: WatchHandlers, options?: { filter?: TopicFilter | undefined }): Watch;
  /** One driver, on a trip or not. */
  watchDriver(driverId: string, handlers: WatchHandlers): Watch;
}

/**
 * The operators' client: everything over one socket, and nothing without it. HTTP has no alerts and no map, so a client that went over to
 * it would look live and be deaf, and would be back late.
 */
export function createConsoleClient(options: ConsoleClientOptions): ConsoleClient {
  const connection = createConnection(options);
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
    watchAlerts: (handlers, { filter } = {}) => watches.watchAlerts(handlers, filter),
    watchDriver: (driverId, handlers) => watches.watch(driverTopic(driverId), handlers),
    watchMap: (handlers, { filter } = {}) => watches.watchMap(handlers, filter),
    triggerSos: (details = {}) => sos.trigger(details),
    sendSosFixes: sos.sendFixes,
    watchAlert: (alertId, handlers) => watches.watch(sosTopic(alertId), handlers),
    on: onWatcherEvent(connection),
  };
}
