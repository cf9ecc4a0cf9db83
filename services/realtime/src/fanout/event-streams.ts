import type { TripSnapshot } from '@hushryd/contracts/realtime/server-frames';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { EventFeed, TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import type { RecoverEvents } from '@hushryd/platform/topics/recover-events';
import type { Connection } from '../connections/connection.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import { createBeaconWheel } from './beacon-wheel.ts';
import { beaconFrame, encodeEvent } from './encode-frames.ts';
import {
  createEventStream,
  type EventClass,
  type EventListener,
  type EventStream,
  isNext,
  isSamePlace,
  nowhere,
  placeOf,
} from './event-stream.ts';
import { createEventHands } from './hand-events.ts';
import { createMissedEvents } from './read-missed.ts';
import type { SosRepeats } from './sos-repeats.ts';

/** What a socket that joins has to be told. */
export interface CaughtUp {
  /** Where the log stands; undefined where there is none. */
  head: TopicHead | undefined;
  /** Undefined where the client did not say what it has seen. */
  recovered: boolean | undefined;
  missed: TopicMessage[];
}

export interface EventStreams {
  /** Make the connection a joining listener: what comes from now on waits until `goLive`. The first one opens the stream. */
  enter(request: {
    connection: Connection;
    topic: string;
    eventClass: EventClass;
    judge?: EventListener['judge'];
  }): EventListener;
  leave(listener: EventListener): void;
  /**
   * What came after `seen`, and where the log stands. @throws AppError `redis_unavailable`
   */
  catchUp(listener: EventListener, seen: TopicHead | undefined): Promise<CaughtUp>;
  /** `subscribed` was sent: hand over what was missed and what waits; from here on it is live. In one tick, so nothing falls between. */
  goLive(listener: EventListener, caughtUp: CaughtUp): void;
  /** Read what was missed of a topic and pass it on. @returns false where the log could not be read */
  recover(topic: string): Promise<boolean>;
  /** Hand over all that still waits, before the listener leaves. */
  finish(listener: EventListener): void;
  /** Called every `beaconTurnMs`: streams that have said nothing for a while say once more how far they are. */
  sendBeacons(): void;
  /** Called twice a second: read again what could not be read. */
  retry(): Promise<void>;
  /** The socket took some of what it holds: alerts go first. */
  drained(connection: Connection): void;
  /** From the event feed. */
  wants(topic: string): boolean;
  onEvent(message: TopicMessage): void;
  /** @throws AppError `redis_unavailable` where the log of some topic could not be read */
  onGap(partition: number): Promise<void>;
}

/**
 * The events of topics: each listener gets each event once, in order, without a hole, or is told that it did not.
 *
 * What comes by the feed has to follow what was passed on before; where it does not, the topic's log is read. What the log does not
 * have any more is said: `subscribed` comes again, with `recovered: false` and the new place.
 */
export function createEventStreams({
  feed,
  recoverEvents,
  partitionOf,
  sosRepeats,
  snapshotOf,
  onPassedOn,
  slowBytes,
  metrics,
  log,
}: {
  feed: Pick<EventFeed, 'head'>;
  recoverEvents: RecoverEvents;
  partitionOf: (topic: string) => number;
  sosRepeats: Pick<SosRepeats, 'sent' | 'forget'>;
  /** What a client of this topic begins again with. */
  snapshotOf: (topic: string) => TripSnapshot | undefined;
  /** After an event was handed to the listeners. */
  onPassedOn: (message: TopicMessage) => void;
  /** A socket that holds more than this is given what it missed bit by bit. */
  slowBytes: number;
  metrics: RealtimeMetrics;
  log: Logger;
}): EventStreams {
  const streams = new Map<string, EventStream>();
  const beacons = createBeaconWheel<EventStream>();
  const hands = createEventHands({ sosRepeats, snapshotOf, slowBytes, metrics });
  const missedEvents = createMissedEvents({
    recoverEvents,
    isOpen: (stream) => streams.get(stream.topic) === stream,
    passOn,
    beginAgain: hands.beginAgain,
    metrics,
    log,
  });

  function onEvent(message: TopicMessage): void {
    const stream = streams.get(message.topic);
    if (stream === undefined) return;
    const { place } = stream;
    if (place === undefined) {
      // Nobody is live yet: those who join find out by themselves whether this is the next.
      keepForJoining(stream, message);
      return;
    }
    if (place.epoch === message.epoch && message.offset <= place.offset) return;
    if (isNext(place, message)) passOn(stream, message);
    else void missedEvents.read(stream);
  }

  function keepForJoining(stream: EventStream, message: TopicMessage): void {
    for (const listener of stream.listeners) if (listener.waiting !== undefined) hands.keep(listener, message);
  }

  function passOn(stream: EventStream, message: TopicMessage): void {
    stream.place = placeOf(message);
    beacons.spoke(stream);
    let frame: string | undefined;
    for (const listener of stream.listeners) {
      if (listener.waiting !== undefined) {
        hands.keep(listener, message);
        continue;
      }
      frame ??= encodeEvent(message, stream.eventClass);
      hands.hand(listener, message, frame);
    }
    onPassedOn(message);
  }

  function sendBeacon({ connection, stream, waiting, toldOffset }: EventListener): void {
    const { place } = stream;
    if (waiting !== undefined || place === undefined || place.epoch === '') return;
    connection.send(beaconFrame(stream.topic, undefined, { epoch: place.epoch, offset: toldOffset }), 'beacon');
  }

  /** Bring the stream to where the log was found, so that everybody who is live stands at the same place. */
  async function settleAt({ stream, waiting }: EventListener, head: TopicHead): Promise<void> {
    if (stream.place === undefined) {
      stream.place = head;
      for (const message of waiting ?? []) if (isNext(stream.place, message)) stream.place = placeOf(message);
    }
    const { place } = stream;
    const isBehind = place.epoch !== head.epoch || place.offset < head.offset;
    if (isBehind && !(await missedEvents.read(stream))) throw new AppError('redis_unavailable');
  }

  return {
    enter({ connection, topic, eventClass, judge }) {
      let stream = streams.get(topic);
      if (stream === undefined) {
        stream = createEventStream({ topic, eventClass });
        streams.set(topic, stream);
        beacons.add(stream);
      }
      const listener: EventListener = { connection, stream, judge, waiting: [], isJoining: true, toldOffset: 0 };
      stream.listeners.add(listener);
      return listener;
    },

    leave(listener) {
      const { stream } = listener;
      hands.forget(listener);
      if (stream.eventClass === 'sos') sosRepeats.forget(listener.connection, stream.topic);
      listener.waiting = undefined;
      if (!stream.listeners.delete(listener) || stream.listeners.size > 0) return;
      missedEvents.forget(stream);
      beacons.remove(stream);
      if (streams.get(stream.topic) === stream) streams.delete(stream.topic);
    },

    async catchUp(listener, seen) {
      const { stream } = listener;
      if (seen === undefined) {
        const head = (await feed.head(stream.topic)) ?? undefined;
        await settleAt(listener, head ?? nowhere);
        return { head, recovered: undefined, missed: [] };
      }
      const found = await recoverEvents(stream.topic, seen);
      await settleAt(listener, found.head ?? nowhere);
      return {
        head: found.head,
        recovered: found.recovered,
        missed: found.recovered ? found.messages : [],
      };
    },

    goLive(listener, { head = nowhere, recovered, missed }) {
      const { stream, waiting = [] } = listener;
      const { place = nowhere } = stream;
      const toTell = [...missed];
      let told = head;
      for (const message of waiting) {
        if (!isNext(told, message)) continue;
        toTell.push(message);
        told = placeOf(message);
      }
      listener.isJoining = false;
      if (!isSamePlace(told, place)) {
        // The log began anew while this socket joined.
        hands.beginAgain(listener, place);
        return;
      }
      if (recovered !== undefined) metrics[recovered ? 'recovered' : 'notRecovered'][stream.eventClass] += 1;
      listener.toldOffset = toTell[0] === undefined ? head.offset : toTell[0].offset - 1;
      listener.waiting = toTell;
      beacons.spoke(stream);
      hands.handWaiting(listener);
      // The feed left something out before anybody here could notice.
      const last = waiting.at(-1);
      if (last !== undefined && (last.epoch !== told.epoch || last.offset > told.offset))
        void missedEvents.read(stream);
    },

    recover(topic) {
      const stream = streams.get(topic);
      return stream === undefined ? Promise.resolve(true) : missedEvents.read(stream);
    },
    finish(listener) {
      if (!listener.isJoining) hands.handAll(listener);
    },

    sendBeacons() {
      for (const stream of beacons.turn()) for (const listener of stream.listeners) sendBeacon(listener);
    },

    retry: missedEvents.retry,
    drained: hands.drained,
    wants: (topic) => streams.has(topic),
    onEvent,
    // What could not be read is read again by itself, and not the whole partition for its sake.
    onGap: (partition) =>
      missedEvents.readEach([...streams.values()].filter(({ topic }) => partitionOf(topic) === partition)),
  };
}
