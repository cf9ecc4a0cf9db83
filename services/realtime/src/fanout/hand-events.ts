import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { TripSnapshot } from '@hushryd/contracts/realtime/server-frames';
import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import type { Connection } from '../connections/connection.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import { encodeEvent } from './encode-frames.ts';
import type { EventListener } from './event-stream.ts';
import type { SosRepeats } from './sos-repeats.ts';

/** Events on their way into sockets. */
export interface EventHands {
  /** For later, in order. Where too much waits the socket is closed. */
  keep(listener: EventListener, message: TopicMessage): void;
  /** @param shared the frame for those who want everything @returns false where the socket is gone */
  hand(listener: EventListener, message: TopicMessage, shared?: string): boolean;
  /** Hand over what waits while the socket takes it; the rest when it has drained. */
  handWaiting(listener: EventListener): void;
  /** Hand over all that waits, whatever the socket holds. */
  handAll(listener: EventListener): void;
  /** The socket took some of what it holds: alerts go first. */
  drained(connection: Connection): void;
  /** Say that what came up to `head` is gone for good, and go on from there. */
  beginAgain(listener: EventListener, head: TopicHead): void;
  /** Nothing more is handed to it by itself. */
  forget(listener: EventListener): void;
}

/** Events for one socket that takes what it missed while more comes; above this it has to begin again. */
const maxWaiting = 1000;

/**
 * Hands events to listeners one by one, as fast as their sockets take them.
 *
 * Bounded: one array of shared messages for a socket that joins or takes what it missed, at most 1,000 long.
 */
export function createEventHands({
  sosRepeats,
  snapshotOf,
  slowBytes,
  metrics,
}: {
  sosRepeats: Pick<SosRepeats, 'sent'>;
  /** What a client of this topic begins again with. */
  snapshotOf: (topic: string) => TripSnapshot | undefined;
  /** A socket that holds more than this is given what it missed bit by bit. */
  slowBytes: number;
  metrics: Pick<RealtimeMetrics, 'notRecovered'>;
}): EventHands {
  /** Listeners that are being given what they missed, by their socket. */
  const pacing = new Map<Connection, Set<EventListener>>();

  function keep(listener: EventListener, message: TopicMessage): void {
    const waiting = listener.waiting as TopicMessage[];
    if (waiting.length < maxWaiting) waiting.push(message);
    else listener.connection.close(closeCodes.slowConsumer, 'slow consumer');
  }

  function hand(listener: EventListener, message: TopicMessage, shared?: string): boolean {
    const { connection, stream, judge } = listener;
    const verdict = judge === undefined ? 'fits' : judge(message.event);
    if (verdict === 'other') return true;
    // Who leaves events out says so, or the client would take the hole for a loss.
    const after = listener.toldOffset === message.offset - 1 ? undefined : listener.toldOffset;
    const frame =
      judge === undefined
        ? (shared ?? encodeEvent(message, stream.eventClass))
        : encodeEvent(message, stream.eventClass, { after, isGone: verdict === 'gone' });
    listener.toldOffset = message.offset;
    if (stream.eventClass === 'sos') sosRepeats.sent(connection, message, frame);
    return connection.send(frame, stream.eventClass);
  }

  function beginAgain(listener: EventListener, head: TopicHead): void {
    const { connection, stream } = listener;
    forget(listener);
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

  function handWaiting(listener: EventListener): void {
    const waiting = listener.waiting ?? [];
    let next = 0;
    while (next < waiting.length) {
      if (listener.connection.bufferedBytes > roomFor(listener)) break;
      if (!hand(listener, waiting[next] as TopicMessage)) return;
      next += 1;
    }
    if (next === waiting.length) {
      listener.waiting = undefined;
      forget(listener);
      return;
    }
    waiting.splice(0, next);
    const paced = pacing.get(listener.connection);
    if (paced === undefined) pacing.set(listener.connection, new Set([listener]));
    else paced.add(listener);
  }

  /** Alerts fill a socket up to the brim, where their reserve still takes one; everything else leaves room for what comes live. */
  function roomFor({ connection, stream }: EventListener): number {
    return stream.eventClass === 'sos' ? connection.limits.maxBufferBytes : slowBytes;
  }

  function forget(listener: EventListener): void {
    const paced = pacing.get(listener.connection);
    if (paced?.delete(listener) && paced.size === 0) pacing.delete(listener.connection);
  }

  return {
    keep,
    hand,
    handWaiting,
    handAll(listener) {
      for (const message of listener.waiting?.splice(0) ?? []) hand(listener, message);
    },
    drained(connection) {
      const paced = [...(pacing.get(connection) ?? [])];
      for (const listener of paced) if (listener.stream.eventClass === 'sos') handWaiting(listener);
      for (const listener of paced) if (listener.stream.eventClass !== 'sos') handWaiting(listener);
    },
    beginAgain,
    forget,
  };
}
