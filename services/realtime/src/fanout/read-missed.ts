import type { Logger } from '@hushryd/platform/logging/logger';
import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import type { RecoverEvents } from '@hushryd/platform/topics/recover-events';
import type { RealtimeMetrics } from '../metrics.ts';
import { type EventListener, type EventStream, isSamePlace, nowhere } from './event-stream.ts';

/** Reads what the feed left out from the logs of topics. */
export interface MissedEvents {
  /**
   * One at a time a stream; where somebody asks meanwhile, the log is read once more after it. Resolves to false where it could not be
   * read: then it is tried again with the next `retry`.
   */
  read(stream: EventStream): Promise<boolean>;
  /** Many of them, some at the same time. */
  readEach(streams: Iterable<EventStream>): Promise<void>;
  /** Read again what could not be read. */
  retry(): Promise<void>;
  /** Nobody listens to it any more. */
  forget(stream: EventStream): void;
}

/** Logs that are read at the same time: after a failover every topic of a partition wants to be. */
const readsAtOnce = 200;

/** What is found is passed on in order; where the log does not have it any more, those who are live begin again at its head. */
export function createMissedEvents({
  recoverEvents,
  isOpen,
  passOn,
  beginAgain,
  metrics,
  log,
}: {
  recoverEvents: RecoverEvents;
  /** Whether somebody listens to it still. */
  isOpen: (stream: EventStream) => boolean;
  passOn: (stream: EventStream, message: TopicMessage) => void;
  beginAgain: (listener: EventListener, head: TopicHead) => void;
  metrics: Pick<RealtimeMetrics, 'recovered'>;
  log: Logger;
}): MissedEvents {
  /** Streams whose log could not be read, and is read again. */
  const behind = new Set<EventStream>();

  function read(stream: EventStream): Promise<boolean> {
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
      if (isOpen(stream)) behind.add(stream);
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
    if (isSamePlace(head, known)) return;
    stream.place = head;
    for (const listener of stream.listeners) if (!listener.isJoining) beginAgain(listener, head);
  }

  async function readEach(wanted: Iterable<EventStream>): Promise<void> {
    const left = wanted[Symbol.iterator]();
    const lane = async () => {
      for (let next = left.next(); !next.done; next = left.next()) await read(next.value);
    };
    await Promise.all(Array.from({ length: readsAtOnce }, lane));
  }

  return {
    read,
    readEach,
    retry: () => readEach([...behind]),
    forget: (stream) => void behind.delete(stream),
  };
}

function liveCount({ listeners }: EventStream): number {
  let count = 0;
  for (const { isJoining } of listeners) if (!isJoining) count += 1;
  return count;
}
