import type { Readable } from 'node:stream';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { formatEventId } from '@hushryd/contracts/realtime/event-id';
import { beaconAfterMs } from '@hushryd/contracts/realtime/limits';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import type { Identity } from '@hushryd/platform/auth/claims';
import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import type { FollowStart, TopicFollower } from '@hushryd/platform/topics/topic-follower';
import { mayReadTrip, mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';
import { toTripSnapshot } from '@hushryd/tracking/trip-access/trip-snapshot';
import { createDriverView, type DriverView } from './driver-view.ts';
import { createFrameWriter } from './frame-writer.ts';
import type { StreamEnd, StreamMetrics } from './stream-metrics.ts';

export const heartbeatEveryMs = 10_000;
/** Clients that lose the stream without a word come back after this, if they do as the standard says. */
const retryMs = 2_000;
/** A reader that has taken nothing for so long, or has not come to the end that was said, will not any more. */
export const stalledAfterMs = 15_000;

/** One client's view of one trip. */
export interface TripStream {
  readonly body: Readable;
  readonly follower: TopicFollower;
  readonly driver: Pick<DriverView, 'catchUp' | 'onPosition'>;
  /** Say where the log stands, then the newest position, then what was missed; from here on it is live. */
  goLive(start: FollowStart): void;
  /** A newer record of the trip: whoever may not watch any longer is sent off, after the event that says why. */
  onAccess(access: TripAccess): void;
  /** Called twice a second: beacon, heartbeat, the token's end, and what could not be read before. */
  tick(nowMs: number): void;
  drain(retryInMs: number): void;
}

/** For a client whose runtime or network gives it an answer only when that is complete. */
export interface PollWish {
  /** End with the first news, or without any after this. */
  waitMs: number;
  /** `run-seq-state` of the position that the client has: it is no news. */
  known: string | undefined;
}

type FollowHandlers = {
  onEvent: (message: TopicMessage) => void;
  onBeginAgain: (head: TopicHead | undefined) => void;
};

/**
 * A trip as server-sent events: the frames that a socket subscribed to `trip:{id}` would get, in the same order.
 */
export function createTripStream({
  identity,
  access: firstAccess,
  isRevoked,
  createFollower,
  poll,
  metrics,
  now = Date.now,
}: {
  identity: Identity;
  access: TripAccess;
  /** Is the token revoked by now? Costs one look into a map. */
  isRevoked: () => boolean;
  createFollower: (handlers: FollowHandlers) => TopicFollower;
  poll?: PollWish | undefined;
  metrics: StreamMetrics;
  now?: () => number;
}): TripStream {
  const { tripId, driverId } = firstAccess;
  const topic = tripTopic(tripId);
  let access = firstAccess;
  let isLive = false;
  let end: StreamEnd = 'left';
  /** When the end was said. */
  let saidEndAtMs: number | undefined;
  /** Version of the trip that the events passed on have reached. */
  let eventVersion = 0;
  let spokeAtMs = now();
  let beatAtMs = now();
  let isBeaconDue = false;
  let slowSinceMs: number | undefined;
  /** Of a poll. */
  const overAtMs = poll === undefined ? undefined : now() + poll.waitMs;
  let hasNews = false;

  const writer = createFrameWriter({
    onDrain() {
      slowSinceMs = undefined;
      driver.drained();
    },
    onTooSlow() {
      end = 'slow';
    },
  });
  const follower = createFollower({ onEvent, onBeginAgain });
  const driver = createDriverView({
    tripId,
    driverId,
    topic,
    isSlow: () => writer.isSlow,
    say,
    onConflated: metrics.conflated,
  });
  writer.stream.once('close', () => {
    follower.close();
    metrics.ended(end);
  });

  /** In order with all that was said before. */
  function say(frame: ServerFrame, id?: string): void {
    metrics.frame(frame.type);
    writer.write(frame, id);
    spokeAtMs = beatAtMs = now();
    isBeaconDue = frame.type !== 'beacon';
    if (newsTypes.has(frame.type)) hasNews = true;
    if (hasNews && isLive && poll !== undefined) endPoll();
  }

  function endPoll(): void {
    if (end !== 'left') return;
    end = 'polled';
    sayEnd();
  }

  function finish(reason: StreamEnd, frame: ServerFrame): void {
    if (end !== 'left') return;
    end = reason;
    say(frame);
    sayEnd();
  }

  function sayEnd(): void {
    saidEndAtMs = now();
    follower.close();
    writer.end();
  }

  function onEvent({ epoch, offset, event }: TopicMessage): void {
    // Not every event of a trip makes a version of it: that its driver fell silent does not.
    const { version } = event as { version?: number };
    if (version !== undefined) eventVersion = Math.max(eventVersion, version);
    // What may stand on a topic is decided where it is published.
    say({ type: 'event', topic, epoch, offset, event } as ServerFrame, formatEventId({ epoch, offset }));
  }

  function onBeginAgain(head: TopicHead | undefined): void {
    metrics.recovery(false);
    stand({ head, recovered: false });
  }

  function stand({ head, recovered }: Omit<FollowStart, 'missed'>): void {
    const idOfHead = formatEventId(head ?? { epoch: '', offset: 0 });
    const frame: ServerFrame = {
      type: 'subscribed',
      topic,
      ...head,
      ...(recovered !== undefined && { recovered }),
      ...(recovered !== true && { snapshot: toTripSnapshot(access) }),
    };
    // With `recovered` the place moves with the events that follow, not before them.
    say(frame, recovered === true ? undefined : idOfHead);
  }

  async function followAccess(): Promise<void> {
    const record = access;
    const isEventOwed = record.version > eventVersion;
    const mayStay = mayWatchTrip(identity, record);
    // Record and event leave Redis together, so the log has what the feed has not brought yet.
    if (isEventOwed && (mayStay || mayReadTrip(identity, record))) await follower.recover();
    eventVersion = Math.max(eventVersion, record.version);
    if (!mayStay) finish('forbidden', { type: 'unsubscribed', topic, reason: 'forbidden' });
  }

  function endIfOver(nowMs: number): void {
    if (identity.expiresAtMs <= nowMs) endToken('token_expired', 'The token has expired');
    else if (isRevoked()) endToken('token_revoked', 'The session was ended');
    else if (overAtMs !== undefined && overAtMs <= nowMs) endPoll();
    else if (!writer.isSlow) slowSinceMs = undefined;
    else {
      slowSinceMs ??= nowMs;
      if (nowMs - slowSinceMs < stalledAfterMs) return;
      end = 'slow';
      writer.cut();
    }
  }

  /** Retryable: with another token the same request may succeed. */
  function endToken(code: 'token_expired' | 'token_revoked', message: string): void {
    finish('token', { type: 'error', topic, code, message, retryable: true });
  }

  return {
    body: writer.stream,
    follower,
    driver,
    goLive(start) {
      if (start.recovered !== undefined) metrics.recovery(start.recovered);
      writer.hintRetry(retryMs);
      stand(start);
      driver.goLive(poll?.known);
      follower.goLive(start);
      isLive = true;
      // Who has no place, or lost it, has just been given one.
      if (poll !== undefined && (hasNews || start.recovered !== true)) endPoll();
      if (access !== firstAccess) void followAccess();
    },
    onAccess(record) {
      access = record;
      if (isLive) void followAccess();
    },
    tick(nowMs) {
      if (saidEndAtMs !== undefined && nowMs - saidEndAtMs >= stalledAfterMs) writer.cut();
      if (!isLive || end !== 'left') return;
      endIfOver(nowMs);
      if (end !== 'left' || writer.isSlow) return;
      if (follower.isBehind) void follower.recover();
      if (isBeaconDue && nowMs - spokeAtMs >= beaconAfterMs) {
        say({ type: 'beacon', topic, ...driver.place, ...follower.place });
      }
      if (nowMs - beatAtMs < heartbeatEveryMs) return;
      beatAtMs = nowMs;
      writer.heartbeat();
    },
    drain(retryInMs) {
      writer.hintRetry(retryInMs);
      finish('draining', { type: 'draining', retryInMs });
    },
  };
}

/** What a poll waits for. */
const newsTypes: ReadonlySet<ServerFrame['type']> = new Set(['event', 'position', 'gone']);
