import type { TopicMessage } from './event-feed.ts';
import type { TopicHead } from './event-log.ts';
import { eventsKept } from './event-log.ts';
import type { RecoverEvents } from './recover-events.ts';

/** What a client that begins to follow has to be told before anything else. */
export interface FollowStart {
  /** Where the log stands; undefined where there is none. */
  head: TopicHead | undefined;
  /** Undefined where the client did not say what it has seen. */
  recovered: boolean | undefined;
  missed: readonly TopicMessage[];
}

export interface TopicFollower {
  /** What came after `seen`. Events that the feed brings meanwhile wait. @throws AppError `redis_unavailable` */
  start(seen: TopicHead | undefined): Promise<FollowStart>;
  /** The client was told where the log stood: pass on what it missed and what waits; from here on it is live. */
  goLive(start: FollowStart): void;
  /** From the event feed. */
  offer(message: TopicMessage): void;
  /**
   * Read from the log what the feed did not bring. Asked for while a read is on its way, the log is read once more after it.
   * @returns false where the log could not be read; `isBehind` is then true until it could
   */
  recover(): Promise<boolean>;
  /** Of the last event passed on; undefined before `goLive`, and where there is no log. */
  readonly place: TopicHead | undefined;
  readonly isBehind: boolean;
  /** Nothing is passed on any more. */
  close(): void;
}

const nowhere: TopicHead = { epoch: '', offset: 0 };

/**
 * One client's way through one topic's events: each once, in order, without a hole, or word that some are gone for good. Knows nothing
 * of how the client is spoken to.
 *
 * What the feed brings has to follow what was passed on before; where it does not, the log is read.
 *
 * Bounded: `maxWaiting` events wait while the log is read. With more of them all are let go, and read from the log.
 *
 * @param onEvent the next event
 * @param onBeginAgain events in between are gone for good; the log stands at this place now
 * Cost: one EVALSHA a read, see recover-events.
 */
export function createTopicFollower({
  topic,
  readHead,
  recoverEvents,
  onEvent,
  onBeginAgain,
  onReadFailed,
  maxWaiting = eventsKept,
}: {
  topic: string;
  readHead: (topic: string) => Promise<TopicHead | null>;
  recoverEvents: RecoverEvents;
  onEvent: (message: TopicMessage) => void;
  onBeginAgain: (head: TopicHead | undefined) => void;
  onReadFailed: (error: unknown) => void;
  maxWaiting?: number;
}): TopicFollower {
  let place: TopicHead = nowhere;
  let waiting: TopicMessage[] = [];
  let isLive = false;
  let isHolding = true;
  let isBehind = false;
  let mustRead = false;
  let reading: Promise<boolean> | undefined;
  let isClosed = false;

  function offer(message: TopicMessage): void {
    if (isClosed) return;
    if (isHolding) {
      hold(message);
      return;
    }
    if (message.epoch === place.epoch && message.offset <= place.offset) return;
    if (isNext(place, message)) pass(message);
    else void recover();
  }

  function hold(message: TopicMessage): void {
    waiting.push(message);
    if (waiting.length <= maxWaiting) return;
    waiting = [];
    mustRead = true;
  }

  function pass(message: TopicMessage): void {
    if (isClosed) return;
    place = { epoch: message.epoch, offset: message.offset };
    onEvent(message);
  }

  function release(): void {
    isHolding = false;
    const held = waiting;
    waiting = [];
    for (const message of held) offer(message);
  }

  function recover(): Promise<boolean> {
    mustRead = true;
    if (!isLive || isClosed) return Promise.resolve(true);
    reading ??= readWhileAsked();
    return reading;
  }

  async function readWhileAsked(): Promise<boolean> {
    try {
      while (mustRead && !isClosed) {
        mustRead = false;
        await readOnce();
      }
      isBehind = false;
      return true;
    } catch (error) {
      // What waits is in the log too; whoever reads it next finds it there.
      waiting = [];
      isHolding = false;
      isBehind = true;
      onReadFailed(error);
      return false;
    } finally {
      // In the same tick as the last look at `mustRead`: whoever asks later begins anew.
      reading = undefined;
    }
  }

  async function readOnce(): Promise<void> {
    isHolding = true;
    const found = await recoverEvents(topic, place);
    if (isClosed) return;
    if (found.recovered) {
      for (const message of found.messages) pass(message);
    } else {
      const head = found.head ?? nowhere;
      const isSame = head.epoch === place.epoch && head.offset === place.offset;
      place = head;
      if (!isSame) onBeginAgain(found.head);
    }
    release();
  }

  return {
    async start(seen) {
      if (seen === undefined) {
        return { head: (await readHead(topic)) ?? undefined, recovered: undefined, missed: [] };
      }
      const found = await recoverEvents(topic, seen);
      return { head: found.head, recovered: found.recovered, missed: found.recovered ? found.messages : [] };
    },
    goLive({ head = nowhere, missed }) {
      isLive = true;
      for (const message of missed) pass(message);
      place = head;
      release();
      if (mustRead) void recover();
    },
    offer,
    recover,
    get place() {
      return isLive && place.epoch !== '' ? place : undefined;
    },
    get isBehind() {
      return isBehind;
    },
    close() {
      isClosed = true;
      waiting = [];
    },
  };
}

/** The first event of a log follows the place where there was none. */
function isNext(place: TopicHead, message: TopicMessage): boolean {
  if (place.epoch === '') return message.offset === 1;
  return message.epoch === place.epoch && message.offset === place.offset + 1;
}
