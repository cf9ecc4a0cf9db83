import type { ErrorCode } from '@hushryd/contracts/errors';
import type { TopicEvent } from '@hushryd/contracts/events/topic-event';
import type { Position } from '@hushryd/contracts/fix';
import type { NearbyDriver } from '@hushryd/contracts/http/drivers';
import type { TrailPoint } from '@hushryd/contracts/http/sos-trail';
import type { MapCluster, TripSnapshot } from '@hushryd/contracts/realtime/server-frames';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import type { ConnectionError } from '../connection/connection-state.ts';

/** What the app gets back for following something. */
export interface Watch {
  /** Nothing is called afterwards. */
  close(): void;
}

export interface SubscriptionHandlers {
  /** The subscription stands, also again after a reconnect. */
  onSubscribed?(): void;
  /** It did not succeed. A temporary failure is tried again by itself; after a final one `onEnded` follows. */
  onError?(error: ConnectionError): void;
  /**
   * It is over: the server refused it (the error's code) or ended it (`forbidden`: no longer allowed to see this, as for a trip's
   * driver and passengers after `trip.ended`).
   */
  onEnded?(reason: ErrorCode): void;
}

export interface WatchHandlers extends SubscriptionHandlers {
  /** The newest position. Never goes back to an older fix. `isJump`: some in between were left out for this slow client. */
  onPosition?(position: Position, info: { isJump: boolean }): void;
  /** The driver fell silent for five minutes: there is no position any more. */
  onGone?(driverId: string): void;
  /**
   * What happened, in order, each once. An alert is acknowledged once one of its handlers has returned; where all threw, or there was
   * none, it is told again when the server repeats it, so also after newer ones. `isGone`, of a watch with a filter: take what it is about
   * out of the list, unless a higher version is there; it does not fit, or does not any more. Where several watches of one client ask for
   * different things nothing is filtered: each is told of everything, and `isGone` is false.
   */
  onEvent?(event: TopicEvent, info: { isGone: boolean }): void;
  /**
   * Events happened that are gone for good, as after a long time offline: begin again with what is now. `snapshot` says it of a trip;
   * where it is absent, read it over HTTP.
   */
  onMissed?(snapshot?: TripSnapshot): void;
}

export interface MapHandlers extends SubscriptionHandlers {
  /**
   * @param changed vehicles that are new or moved
   * @param gone ids of drivers that left
   * @param info `snapshot`: part of the whole map, as after every (re)connect; with `complete` it was the last part, and vehicles
   *   that no part named are not there
   */
  onVehicles(changed: Position[], gone: string[], info: MapInfo): void;
  /**
   * With a filter, in place of `onVehicles` where more vehicles fit than are told one by one. The map goes from one to the other with a
   * snapshot: once it is complete, nothing of the other kind is there any more.
   *
   * @param changed clusters that are new or another
   * @param gone ids of clusters
   */
  onClusters?(changed: MapCluster[], gone: string[], info: MapInfo): void;
}

export interface NearbyHandlers extends SubscriptionHandlers {
  /** The available drivers around, nearest first, at most 10. Whoever is not named is not among them any more. */
  onDrivers(drivers: NearbyDriver[], info: { asOfMs: number }): void;
}

export interface AlertHandlers extends Pick<WatchHandlers, 'onEvent' | 'onMissed'>, SubscriptionHandlers {
  /**
   * Where the trip's driver or the alerting person is now. Points may come twice, and an older one after a newer: source and time tell them
   * apart. Whatever was before, also what was missed while away, is read over HTTP (`getAlertTrail`), best at each `onSubscribed`.
   */
  onTrail?(points: TrailPoint[]): void;
}

export interface MapWatch extends Watch {
  /**
   * See another part of the map, or all of it (`undefined`): a new snapshot follows, by another `onSubscribed`. It is kept over reconnects.
   * One client has one map: the newest filter is that of all its map watches.
   */
  setFilter(filter: TopicFilter | undefined): void;
}

export interface MapInfo {
  snapshot: boolean;
  complete: boolean;
  /** Server's clock, epoch milliseconds. */
  asOfMs: number;
}
