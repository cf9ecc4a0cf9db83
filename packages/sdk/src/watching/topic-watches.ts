import type { Position } from '@hushryd/contracts/fix';
import type {
  ErrorFrame,
  EventFrame,
  MapFrame,
  PositionFrame,
  ServerFrame,
  SubscribedFrame,
} from '@hushryd/contracts/realtime/server-frames';
import { adminMapTopic } from '@hushryd/contracts/realtime/topics';
import type { Connection } from '../connection/connection.ts';
import { ConnectionError } from '../connection/connection-state.ts';
import { callGuarded } from '../connection/emitter.ts';
import type { EventPlace } from './event-place.ts';
import { comparePlace } from './event-place.ts';
import type { MapHandlers, Watch, WatchHandlers } from './watch-handlers.ts';

type Handlers = WatchHandlers & Partial<MapHandlers>;

/** One call of `watch`; the same handlers may be given to several. */
interface Watcher {
  handlers: Handlers;
}

/** Everybody who watches one topic, and what is known about it. */
interface WatchedTopic {
  watchers: Set<Watcher>;
  newest?: Position | undefined;
  place?: EventPlace;
}

export interface TopicWatches {
  watch(topic: string, handlers: WatchHandlers | MapHandlers): Watch;
}

/** Shares one subscription a topic among its watchers and tells each of them what the topic's frames mean. */
export function createTopicWatches(connection: Connection): TopicWatches {
  const topics = new Map<string, WatchedTopic>();
  connection.on('frame', receive);

  return {
    watch(topic, handlers) {
      const watcher: Watcher = { handlers };
      join(topic, watcher);
      return { close: () => leave(topic, watcher) };
    },
  };

  function join(topic: string, watcher: Watcher): void {
    const known = topics.get(topic);
    if (!known) {
      connection.subscribe(topic);
      topics.set(topic, { watchers: new Set([watcher]) });
      return;
    }
    known.watchers.add(watcher);
    if (topic === adminMapTopic) {
      // Only the server has the whole map: ask for it again.
      connection.unsubscribe(topic);
      connection.subscribe(topic);
    } else if (known.newest) {
      const { newest } = known;
      void Promise.resolve().then(() => {
        if (known.watchers.has(watcher))
          callGuarded(() => watcher.handlers.onPosition?.(newest, { isJump: false }), undefined);
      });
    }
  }

  function leave(topic: string, watcher: Watcher): void {
    const known = topics.get(topic);
    if (!known?.watchers.delete(watcher) || known.watchers.size > 0) return;
    topics.delete(topic);
    connection.unsubscribe(topic);
  }

  function receive(frame: ServerFrame): void {
    if (!('topic' in frame) || frame.topic === undefined) return;
    const known = topics.get(frame.topic);
    if (!known) return;
    if (frame.type === 'position') move(known, frame);
    else if (frame.type === 'map') redraw(known, frame);
    else if (frame.type === 'event') happen(known, frame);
    else if (frame.type === 'subscribed') stand(known, frame);
    else if (frame.type === 'error') fail(frame.topic, known, frame);
    else if (frame.type === 'gone') {
      known.newest = undefined;
      tell(known, (handlers) => handlers.onGone?.(frame.driverId));
    } else if (frame.type === 'unsubscribed' && frame.reason) end(frame.topic, known, frame.reason);
  }

  function move(known: WatchedTopic, { position, jump }: PositionFrame): void {
    // Another node may know less for a moment, after a reconnect.
    if (known.newest && isOlder(position, known.newest)) return;
    known.newest = position;
    tell(known, (handlers) => handlers.onPosition?.(position, { isJump: jump === true }));
  }

  function redraw(known: WatchedTopic, frame: MapFrame): void {
    const info = { snapshot: frame.snapshot === true, complete: frame.complete === true, asOfMs: frame.asOfMs };
    tell(known, (handlers) => handlers.onVehicles?.(frame.vehicles, frame.gone, info));
  }

  function happen(known: WatchedTopic, { epoch, offset, event }: EventFrame): void {
    const found = comparePlace(known.place, { epoch, offset });
    if (found === 'repeated') return;
    known.place = { epoch, offset };
    if (found === 'gap') tell(known, (handlers) => handlers.onMissed?.());
    tell(known, (handlers) => handlers.onEvent?.(event));
  }

  /** A topic without a log stands at nowhere: whatever it has later was missed. */
  function stand(known: WatchedTopic, { epoch = '', offset = 0 }: SubscribedFrame): void {
    tell(known, (handlers) => handlers.onSubscribed?.());
    const found = comparePlace(known.place, { epoch, offset });
    known.place = { epoch, offset };
    if (found === 'next' || found === 'gap') tell(known, (handlers) => handlers.onMissed?.());
  }

  function fail(topic: string, known: WatchedTopic, { code, message, retryable }: ErrorFrame): void {
    tell(known, (handlers) => handlers.onError?.(new ConnectionError(code, message)));
    if (!retryable) end(topic, known, code);
  }

  function end(topic: string, known: WatchedTopic, reason: ErrorFrame['code']): void {
    topics.delete(topic);
    connection.unsubscribe(topic);
    tell(known, (handlers) => handlers.onEnded?.(reason));
  }
}

function tell(known: WatchedTopic, call: (handlers: Handlers) => void): void {
  for (const { handlers } of known.watchers) callGuarded(call, handlers);
}

function isOlder(position: Position, newest: Position): boolean {
  if (position.driverId !== newest.driverId) return false;
  return position.run < newest.run || (position.run === newest.run && position.seq < newest.seq);
}
