import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { TripSnapshot } from '@hushryd/contracts/realtime/server-frames';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { EventFeed, TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import type { RecoverEvents } from '@hushryd/platform/topics/recover-events';
import type { Connection } from '../connections/connection.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import { type BeaconPace, createBeaconPace, noteSpoken, takeDue } from './beacon-pace.ts';
import { beaconFrame, encodeEvent } from './encode-frames.ts';
import type { SosRepeats } from './sos-repeats.ts';

/** How events of a topic are delivered: `sos` ones are repeated until the client acknowledges them. */
export type EventClass = 'event' | 'sos';

/** One socket's part in one topic's events. */
export interface EventListener {
  readonly connection: Connection;
  readonly stream: EventStream;
  /** What it wants of the topic; undefined: everything. */
  readonly wants: ((event: unknown) => boolean) | undefined;
  /** Events that wait, in order: for the snapshot, or for a socket that is still taking what it missed. */
  waiting: TopicMessage[] | undefined;
  isJoining: boolean;
  /** Offset of the last event that was sent or left out by `wants`. */
  toldOffset: number;
}

/** A topic's events as this node has heard them. */
export interface EventStream {
  readonly topic: string;
  readonly eventClass: EventClass;
  /** Of the last event passed on; undefined before the first look at the log. */
  place: TopicHead | undefined;
  readonly listeners: Set<EventListener>;
  recovery: Promise<boolean> | undefined;
  /** Something was missed while the log was being read: what was found may be from before it. */
  mustReadAgain: boolean;
  readonly beacon: BeaconPace;
}

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
    wants?: ((event: unknown) => boolean) | undefined;
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
  /** Called twice a second: streams that have said nothing for a while say once more how far they are. */
  sendBeacons(): void;
  /** The socket took some of what it holds. */
  drained(connection: Connection): void;
  /** From the event feed. */
  wants(topic: string): boolean;
  onEvent(message: TopicMessage): void;
  /** @throws AppError `redis_unavailable` where the log of some topic could not be read */
  onGap(partition: number): Promise<void>;
}

/** Events for one socket that takes what it missed while more comes; above this it has to begin again. */
const maxWaiting = 1000;
/** Logs that are read at the same time: after a failover every topic of a partition wants to be. */
const readsAtOnce = 200;
const nowhere: TopicHead = { epoch: '', offset: 0 };

/**
 * The events of topics: each listener gets each event once, in order, without a hole, or is told that it did not.
 *
 * What comes by the feed has to follow what was passed on before; where it does not, the topic's log is read. What the log does not
 * have any more is said: `subscribed` comes again, with `recovered: false` and the new place.
 *
 * Bounded: one array of shared messages for a socket that joins or takes what it missed, at most 1,000 long.
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
  /** Listeners that are being given what they missed, by their socket. */
  const pacing = new Map<Connection, Set<EventListener>>();
  /** Streams whose log could not be read, and is read again. */
  const behind = new Set<EventStream>();
  let isRetrying = false;
  let tick = 0;

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
    else void recoverStream(stream);
  }

  function keepForJoining(stream: EventStream, message: TopicMessage): void {
    for (const listener of stream.listeners) if (listener.waiting !== undefined) wait(listener, message);
  }

  function passOn(stream: EventStream, message: TopicMessage): void {
    stream.place = placeOf(message);
    noteSpoken(stream.beacon, tick);
    let frame: string | undefined;
    for (const listener of stream.listeners) {
      if (listener.waiting !== undefined) {
        wait(listener, message);
        continue;
      }
      frame ??= encodeEvent(message, stream.eventClass);
      hand(listener, message, frame);
    }
    onPassedOn(message);
  }

  function wait(listener: EventListener, message: TopicMessage): void {
    const waiting = listener.waiting as TopicMessage[];
    if (waiting.length < maxWaiting) waiting.push(message);
    else listener.connection.close(closeCodes.slowConsumer, 'slow consumer');
  }

  /** @returns false where the socket is gone */
  function hand(listener: EventListener, message: TopicMessage, shared?: string): boolean {
    const { connection, stream, wants } = listener;
    if (wants !== undefined && !wants(message.event)) return true;
    // Who leaves events out says so, or the client would take the hole for a loss.
    const after = listener.toldOffset === message.offset - 1 ? undefined : listener.toldOffset;
    const frame =
      wants === undefined
        ? (shared ?? encodeEvent(message, stream.eventClass))
        : encodeEvent(message, stream.eventClass, after);
    listener.toldOffset = message.offset;
    if (stream.eventClass === 'sos') sosRepeats.sent(connection, message, frame);
    return connection.send(frame, stream.eventClass);
  }

  /**
   * One at a time a stream; where somebody asks meanwhile, the log is read once more after it. Resolves to false where it could not be
   * read: then it is tried again with the next beacons.
   */
  function recoverStream(stream: EventStream): Promise<boolean> {
    stream.mustReadAgain = true;
    stream.recovery ??= readWhileAsked(stream);
    return stream.recovery;
  }

  async function readWhileAsked(stream: EventStream): Promise<boolean> {
    try {
      while (stream.mustReadAgain) {
        stream.mustReadAgain = false;
        await readMissed(stream);
      }
      behind.delete(stream);
      return true;
    } catch (err) {
      if (behind.size === 0) log.warn({ err, topic: stream.topic }, 'missed events could not be read, trying again');
      if (streams.get(stream.topic) === stream) behind.add(stream);
      return false;
    } finally {
      // In the same tick as the last look at `mustReadAgain`: whoever asks later begins anew.
      stream.recovery = undefined;
    }
  }

  async function readMissed(stream: EventStream): Promise<void> {
    const known = stream.place;
    // Nobody was told of any event yet: those who join read the log themselves.
    if (known === undefined) return;
    const found = await recoverEvents(stream.topic, known);
    if (stream.place !== known) {
      stream.mustReadAgain = true;
      return;
    }
    if (found.recovered) {
      if (found.messages.length > 0) metrics.recovered[stream.eventClass] += liveCount(stream);
      for (const message of found.messages) passOn(stream, message);
      return;
    }
    const head = found.head ?? nowhere;
    if (head.epoch === known.epoch && head.offset === known.offset) return;
    stream.place = head;
    for (const listener of stream.listeners) if (!listener.isJoining) beginAgain(listener, head);
  }

  async function recoverEach(wanted: Iterable<EventStream>): Promise<void> {
    const left = wanted[Symbol.iterator]();
    const lane = async () => {
      for (let next = left.next(); !next.done; next = left.next()) await recoverStream(next.value);
    };
    await Promise.all(Array.from({ length: readsAtOnce }, lane));
  }

  /** What came in between is gone for good. */
  function beginAgain(listener: EventListener, head: TopicHead): void {
    const { connection, stream } = listener;
    stopPacing(listener);
    listener.waiting = undefined;
    listener.toldOffset = head.offset;
    metrics.notRecovered[stream.eventClass] += 1;
    const snapshot = snapshotOf(stream.topic);
    connection.sendFrame(
      {
        type: 'subscribed',
        topic: stream.topic,
        ...(head.epoch !== '' && head),
        recovered: false,
        ...(snapshot && { snapshot }),
      },
      stream.eventClass,
    );
  }

  /** Hand over what waits while the socket takes it; the rest when it has drained. */
  function handWaiting(listener: EventListener): void {
    const waiting = listener.waiting ?? [];
    let next = 0;
    while (next < waiting.length) {
      if (listener.connection.bufferedBytes > slowBytes) break;
      if (!hand(listener, waiting[next] as TopicMessage)) return;
      next += 1;
    }
    if (next === waiting.length) {
      listener.waiting = undefined;
      stopPacing(listener);
      return;
    }
    waiting.splice(0, next);
    const paced = pacing.get(listener.connection);
    if (paced === undefined) pacing.set(listener.connection, new Set([listener]));
    else paced.add(listener);
  }

  function stopPacing(listener: EventListener): void {
    const paced = pacing.get(listener.connection);
    if (paced?.delete(listener) && paced.size === 0) pacing.delete(listener.connection);
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
    if (isBehind && !(await recoverStream(stream))) throw new AppError('redis_unavailable');
  }

  return {
    enter({ connection, topic, eventClass, wants }) {
      let stream = streams.get(topic);
      if (stream === undefined) {
        stream = {
          topic,
          eventClass,
          place: undefined,
          listeners: new Set(),
          recovery: undefined,
          mustReadAgain: false,
          beacon: createBeaconPace(),
        };
        streams.set(topic, stream);
      }
      const listener: EventListener = { connection, stream, wants, waiting: [], isJoining: true, toldOffset: 0 };
      stream.listeners.add(listener);
      return listener;
    },

    leave(listener) {
      const { stream } = listener;
      stopPacing(listener);
      if (stream.eventClass === 'sos') sosRepeats.forget(listener.connection, stream.topic);
      listener.waiting = undefined;
      if (!stream.listeners.delete(listener) || stream.listeners.size > 0) return;
      behind.delete(stream);
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
      if (told.epoch !== place.epoch || told.offset !== place.offset) {
        // The log began anew while this socket joined.
        beginAgain(listener, place);
        return;
      }
      if (recovered !== undefined) metrics[recovered ? 'recovered' : 'notRecovered'][stream.eventClass] += 1;
      listener.toldOffset = toTell[0] === undefined ? head.offset : toTell[0].offset - 1;
      listener.waiting = toTell;
      noteSpoken(stream.beacon, tick);
      handWaiting(listener);
      // The feed left something out before anybody here could notice.
      const last = waiting.at(-1);
      if (last !== undefined && (last.epoch !== told.epoch || last.offset > told.offset)) void recoverStream(stream);
    },

    recover(topic) {
      const stream = streams.get(topic);
      return stream === undefined ? Promise.resolve(true) : recoverStream(stream);
    },
    finish(listener) {
      if (listener.isJoining) return;
      for (const message of listener.waiting?.splice(0) ?? []) hand(listener, message);
    },

    sendBeacons() {
      tick += 1;
      if (behind.size > 0 && !isRetrying) {
        isRetrying = true;
        void recoverEach([...behind]).finally(() => {
          isRetrying = false;
        });
      }
      for (const stream of streams.values()) {
        if (!takeDue(stream.beacon, tick)) continue;
        for (const listener of stream.listeners) sendBeacon(listener);
      }
    },

    drained(connection) {
      for (const listener of pacing.get(connection) ?? []) handWaiting(listener);
    },

    wants: (topic) => streams.has(topic),
    onEvent,
    // What could not be read is read again by itself, and not the whole partition for its sake.
    onGap: (partition) => recoverEach([...streams.values()].filter(({ topic }) => partitionOf(topic) === partition)),
  };
}

function liveCount({ listeners }: EventStream): number {
  let count = 0;
  for (const { isJoining } of listeners) if (!isJoining) count += 1;
  return count;
}

/** The first event of a log follows the place where there was none. */
function isNext(place: TopicHead, message: TopicMessage): boolean {
  if (place.epoch === '') return message.offset === 1;
  return place.epoch === message.epoch && message.offset === place.offset + 1;
}

const placeOf = ({ epoch, offset }: TopicHead): TopicHead => ({ epoch, offset });
