import type { TopicEvent } from '@hushryd/contracts/events/topic-event';
import type { Position } from '@hushryd/contracts/fix';
import type {
  BeaconFrame,
  ErrorFrame,
  EventFrame,
  MapFrame,
  PositionFrame,
  ServerFrame,
  SubscribedFrame,
} from '@hushryd/contracts/realtime/server-frames';
import type { TopicFilter } from '@hushryd/contracts/realtime/topic-filter';
import { adminMapTopic, adminSosTopic, parseTopic } from '@hushryd/contracts/realtime/topics';
import type { Connection } from '../connection/connection.ts';
import { ConnectionError } from '../connection/connection-state.ts';
import { callGuarded } from '../connection/emitter.ts';
import type { EventPlace } from './event-place.ts';
import { comparePlace } from './event-place.ts';
import { isSameFilter } from './same-filter.ts';
import { createUnhandledAlerts, type UnhandledAlerts } from './unhandled-alerts.ts';
import type { AlertHandlers, MapHandlers, MapWatch, NearbyHandlers, Watch, WatchHandlers } from './watch-handlers.ts';

type Handlers = WatchHandlers & Partial<MapHandlers> & Partial<NearbyHandlers> & Pick<AlertHandlers, 'onTrail'>;

/** One call of `watch`; the same handlers may be given to several. */
interface Watcher {
  handlers: Handlers;
  /** Of alerts. */
  filter?: TopicFilter | undefined;
}

/** Everybody who watches one topic, and what is known about it. */
interface WatchedTopic {
  watchers: Set<Watcher>;
  newest?: Position | undefined;
  /** The newest event that was told. */
  place?: EventPlace;
  unhandled: UnhandledAlerts;
  filter?: TopicFilter | undefined;
  /** What the server judges by now: the filter that was asked for last may not have been answered yet. */
  judgedBy?: TopicFilter | undefined;
  /** Asked again, and not answered yet. */
  isRecovering: boolean;
}

export interface TopicWatches {
  watch(topic: string, handlers: WatchHandlers | MapHandlers | AlertHandlers): Watch;
  /** Watches of another neighbourhood are closed. */
  watchNearby(topic: string, handlers: NearbyHandlers): Watch;
  /** @param filter asked for where all alert watches have the same; where they have not, nothing is filtered, and nothing gone */
  watchAlerts(handlers: WatchHandlers, filter: TopicFilter | undefined): Watch;
  /** @param filter undefined leaves the filter of earlier map watches */
  watchMap(handlers: MapHandlers, filter: TopicFilter | undefined): MapWatch;
}

/** Shares one subscription a topic among its watchers and tells each of them what the topic's frames mean. */
export function createTopicWatches(connection: Connection): TopicWatches {
  const topics = new Map<string, WatchedTopic>();
  connection.on('frame', receive);

  return {
    watch,
    watchNearby(topic, handlers) {
      // A socket has one neighbourhood at a time, and a second one is refused for good.
      for (const other of topics.keys()) if (other !== topic && parseTopic(other)?.kind === 'nearby') drop(other);
      return watch(topic, handlers);
    },
    watchAlerts(handlers, filter) {
      const watcher: Watcher = { handlers, filter };
      join(adminSosTopic, watcher, filter);
      agree();
      return {
        close() {
          leave(adminSosTopic, watcher);
          agree();
        },
      };
    },
    watchMap(handlers, filter) {
      const watcher: Watcher = { handlers };
      join(adminMapTopic, watcher, filter);
      return { close: () => leave(adminMapTopic, watcher), setFilter: (next) => setFilter(watcher, next) };
    },
  };

  function watch(topic: string, handlers: Handlers): Watch {
    const watcher: Watcher = { handlers };
    join(topic, watcher);
    return { close: () => leave(topic, watcher) };
  }

  function join(topic: string, watcher: Watcher, filter?: TopicFilter): void {
    const known = topics.get(topic);
    if (!known) {
      const unhandled = createUnhandledAlerts();
      const watched: WatchedTopic = { watchers: new Set([watcher]), unhandled, isRecovering: false, filter };
      const seen = () => watched.place && unhandled.handledThrough(watched.place);
      connection.subscribe(topic, { seen, filter: () => watched.filter });
      topics.set(topic, watched);
      return;
    }
    known.watchers.add(watcher);
    if (topic === adminMapTopic) {
      // Only the server has the map: ask for it again.
      known.filter = filter ?? known.filter;
      connection.resubscribe(topic);
    } else if (known.newest) {
      const { newest } = known;
      void Promise.resolve().then(() => {
        if (known.watchers.has(watcher))
          callGuarded(() => watcher.handlers.onPosition?.(newest, { isJump: false }), undefined);
      });
    }
  }

  function setFilter(watcher: Watcher, filter: TopicFilter | undefined): void {
    const known = topics.get(adminMapTopic);
    if (!known?.watchers.has(watcher)) return;
    known.filter = filter;
    connection.resubscribe(adminMapTopic);
  }

  /** One watch that wants less must not make another deaf. */
  function agree(): void {
    const known = topics.get(adminSosTopic);
    if (known === undefined) return;
    const [first, ...others] = [...known.watchers].map(({ filter }) => filter);
    const filter = others.every((other) => isSameFilter(other, first)) ? first : undefined;
    if (isSameFilter(filter, known.filter)) return;
    known.filter = filter;
    connection.resubscribe(adminSosTopic);
  }

  function leave(topic: string, watcher: Watcher): void {
    const known = topics.get(topic);
    if (known?.watchers.delete(watcher) && known.watchers.size === 0) drop(topic);
  }

  function drop(topic: string): void {
    topics.delete(topic);
    connection.unsubscribe(topic);
  }

  function receive(frame: ServerFrame): void {
    if (!('topic' in frame) || frame.topic === undefined) return;
    const known = topics.get(frame.topic);
    if (!known) return;
    // What was said of a part of the map that is not wanted any more would be taken for the new part's.
    if (frame.topic === adminMapTopic && !connection.isSubscribed(adminMapTopic) && frame.type !== 'error') return;
    switch (frame.type) {
      case 'position':
        move(known, frame);
        break;
      case 'map':
        redraw(known, frame);
        break;
      case 'nearby':
        tell(known, (handlers) => handlers.onDrivers?.(frame.drivers, { asOfMs: frame.asOfMs }));
        break;
      case 'trail':
        tell(known, (handlers) => handlers.onTrail?.(frame.points));
        break;
      case 'event':
        happen(known, frame);
        break;
      case 'beacon':
        compare(known, frame);
        break;
      case 'subscribed':
        stand(known, frame);
        break;
      case 'error':
        fail(frame.topic, known, frame);
        break;
      case 'gone':
        goAway(known, frame.driverId);
        break;
      case 'unsubscribed':
        if (frame.reason) end(frame.topic, known, frame.reason);
    }
  }

  function move(known: WatchedTopic, { position, jump }: PositionFrame): void {
    // Another node may know less for a moment, after a reconnect.
    if (known.newest && isOlder(position, known.newest)) return;
    known.newest = position;
    tell(known, (handlers) => handlers.onPosition?.(position, { isJump: jump === true }));
  }

  function goAway(known: WatchedTopic, driverId: string): void {
    known.newest = undefined;
    tell(known, (handlers) => handlers.onGone?.(driverId));
  }

  function redraw(known: WatchedTopic, frame: MapFrame): void {
    const info = { snapshot: frame.snapshot === true, complete: frame.complete === true, asOfMs: frame.asOfMs };
    const { vehicles, clusters, gone } = frame;
    if (clusters === undefined) tell(known, (handlers) => handlers.onVehicles?.(vehicles, gone, info));
    else tell(known, (handlers) => handlers.onClusters?.(clusters, gone, info));
  }

  function happen(known: WatchedTopic, frame: EventFrame): void {
    const { topic, epoch, offset, after, mustAck } = frame;
    const found = comparePlace(known.place, { epoch, offset }, after);
    if (found === 'gap') {
      // In order or not at all: what came before it is asked for first.
      recover(topic, known);
      return;
    }
    const isNews = found !== 'repeated';
    if (isNews) known.place = { epoch, offset };
    if (!mustAck) {
      if (isNews) tellEvent(known, frame);
      return;
    }
    if (isNews || known.unhandled.has(offset)) {
      const hadRoom = known.unhandled.note(offset, tellEvent(known, frame));
      if (!hadRoom) tell(known, (handlers) => handlers.onMissed?.());
    }
    // Also what was dealt with before: the server says it again because our word of it was lost.
    const handled = known.unhandled.handledThrough(known.place as EventPlace);
    if (handled.offset >= offset) connection.acknowledge(topic, handled);
  }

  /** What was missed follows a `subscribed` that says so; where it is gone, the app begins again with the snapshot. */
  function stand(known: WatchedTopic, frame: SubscribedFrame): void {
    known.isRecovering = false;
    if (connection.isSubscribed(frame.topic)) known.judgedBy = known.filter;
    tell(known, (handlers) => handlers.onSubscribed?.());
    if (frame.recovered === true) return;
    const { epoch = '', offset = 0, snapshot } = frame;
    const found = comparePlace(known.place, { epoch, offset });
    const areAlertsLost = known.unhandled.clear();
    known.place = { epoch, offset };
    if (found === 'next' || found === 'gap' || areAlertsLost) tell(known, (handlers) => handlers.onMissed?.(snapshot));
  }

  /** A beacon says how far the topic is. Whoever knows less has missed something without noticing. */
  function compare(known: WatchedTopic, beacon: BeaconFrame): void {
    const { topic, epoch, offset, gone } = beacon;
    const { newest, place } = known;
    // There is nothing to ask for.
    if (gone && newest !== undefined) goAway(known, newest.driverId);
    const isEventMissed =
      epoch !== undefined &&
      offset !== undefined &&
      (place === undefined || place.epoch !== epoch || place.offset < offset);
    if (isPositionMissed(newest, beacon) || isEventMissed) recover(topic, known);
  }

  function recover(topic: string, known: WatchedTopic): void {
    if (known.isRecovering) return;
    known.isRecovering = true;
    connection.resubscribe(topic);
  }

  function fail(topic: string, known: WatchedTopic, { code, message, retryable }: ErrorFrame): void {
    tell(known, (handlers) => handlers.onError?.(new ConnectionError(code, message)));
    if (!retryable) end(topic, known, code);
  }

  function end(topic: string, known: WatchedTopic, reason: ErrorFrame['code']): void {
    drop(topic);
    tell(known, (handlers) => handlers.onEnded?.(reason));
  }
}

function tell(known: WatchedTopic, call: (handlers: Handlers) => void): void {
  for (const { handlers } of known.watchers) callGuarded(call, handlers);
}

/** @returns did at least one watcher deal with it? */
function tellEvent({ watchers, judgedBy }: WatchedTopic, { event, gone }: EventFrame): boolean {
  let isHandled = false;
  for (const { handlers, filter } of watchers) {
    if (handlers.onEvent === undefined) continue;
    // What does not fit the filter of one may fit what another wants, who has just come.
    const info = { isGone: gone === true && judgedBy !== undefined && isSameFilter(filter, judgedBy) };
    if (callGuarded((told: TopicEvent) => handlers.onEvent?.(told, info), event)) isHandled = true;
  }
  return isHandled;
}

/** The beacon tells of a newer fix, or of another state or trip of the same. Older servers say nothing of the latter two. */
function isPositionMissed(newest: Position | undefined, { run, seq, state, tripId }: BeaconFrame): boolean {
  if (run === undefined || seq === undefined) return false;
  if (newest === undefined || newest.run < run || (newest.run === run && newest.seq < seq)) return true;
  const isSameFix = newest.run === run && newest.seq === seq;
  return isSameFix && state !== undefined && (newest.state !== state || newest.tripId !== tripId);
}

function isOlder(position: Position, newest: Position): boolean {
  if (position.driverId !== newest.driverId) return false;
  return position.run < newest.run || (position.run === newest.run && position.seq < newest.seq);
}
