import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { backoffDelayMs } from '../connection/backoff.ts';
import type { CancelTimer, Runtime } from '../connection/runtime.ts';
import { createAbortController } from '../http/fetch.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { EventPlace } from '../watching/event-place.ts';
import { readBody } from './read-body.ts';
import { createSseParser } from './sse-parser.ts';
import type { StreamAbility } from './stream-ability.ts';
import type { RequestTrip } from './trip-request.ts';

export interface TripFollow {
  /** Something was missed: ask again from where we are. */
  again(): void;
  close(): void;
}

export interface TripFollowInput {
  tripId: string;
  /** The last event that the app was told of, asked before each request. */
  seen: () => EventPlace | undefined;
  requestTrip: RequestTrip;
  ability: StreamAbility;
  runtime: Runtime;
  /** How long an answer may take to begin. */
  answerMs: number;
  onFrame: (frame: ServerFrame) => void;
  /** The api answered, with a stream or to a poll. */
  onOpen: (transport: 'sse' | 'poll') => void;
  /** A request failed; the next one follows by itself unless `close` is called. */
  onFailed: (error: unknown) => void;
}

/** The server says something every 10 s. */
const silentMs = 25_000;
const waitSeconds = 25;
/** Answers that follow one another at once come no more often than this. */
const pollEveryMs = 1_000;
/** A stream that stood so long was none that is cut at once. */
const stableMs = 5_000;

/**
 * A trip's frames over HTTP: one stream after another, each from where the last one ended, or one poll after another where streams
 * cannot be read. The frames are those of a socket that is subscribed to the trip.
 */
export function followTrip(input: TripFollowInput): TripFollow {
  const { tripId, runtime, ability } = input;
  const topic = tripTopic(tripId);
  let isOver = false;
  let abort: (() => void) | undefined;
  let isAskedAgain = false;
  let endPause: (() => void) | undefined;
  let known: string | undefined;
  let hintMs: number | undefined;
  let attempt = 0;

  void run();
  return {
    again() {
      isAskedAgain = true;
      abort?.();
      endPause?.();
    },
    close() {
      isOver = true;
      abort?.();
      endPause?.();
    },
  };

  async function run(): Promise<void> {
    while (!isOver) {
      const beganAtMs = runtime.now();
      isAskedAgain = false;
      hintMs = undefined;
      let delayMs: number;
      try {
        const transport = await ask();
        const tookMs = runtime.now() - beganAtMs;
        if (transport === 'poll') delayMs = Math.max(0, pollEveryMs - tookMs);
        else delayMs = afterStream(tookMs);
      } catch (error) {
        if (isOver) return;
        delayMs = isAskedAgain ? 0 : afterFailure(error);
      }
      if (!isOver && !isAskedAgain) await pause(delayMs);
    }
  }

  function afterStream(tookMs: number): number {
    attempt = tookMs >= stableMs ? 0 : attempt + 1;
    return hintMs ?? backoffDelayMs({ attempt, random: runtime.random });
  }

  function afterFailure(error: unknown): number {
    const jitterMs = backoffDelayMs({ attempt, random: runtime.random });
    attempt += 1;
    if (error instanceof HttpProblem && (error.code === 'not_found' || error.code === 'forbidden')) {
      const { code, message } = error;
      take({ type: 'error', topic, code, message, retryable: false });
      isOver = true;
      return 0;
    }
    input.onFailed(error);
    // Retry-After is the same for everybody, so the jitter goes on top of it.
    return error instanceof HttpProblem ? (error.retryAfterMs ?? 0) + jitterMs : jitterMs;
  }

  /** One request to its end. @throws HttpProblem, or whatever the network throws */
  async function ask(): Promise<'sse' | 'poll'> {
    const isPoll = !ability.canStream;
    const controller = createAbortController();
    abort = () => controller.abort();
    let isLate = false;
    let cancelTimer: CancelTimer = () => undefined;
    const allow = (ms: number): void => {
      cancelTimer();
      cancelTimer = runtime.setTimer(() => {
        isLate = true;
        controller.abort();
      }, ms);
    };
    allow(input.answerMs + (isPoll ? waitSeconds * 1000 : 0));
    const parser = createSseParser({
      onData: (data) => take(JSON.parse(data) as ServerFrame),
      onRetry: () => undefined,
    });
    try {
      const response = await input.requestTrip({
        tripId,
        seen: input.seen(),
        ...(isPoll && { poll: { waitSeconds, known } }),
        signal: controller.signal,
      });
      const pieces = isPoll ? undefined : readBody(response);
      if (isPoll) {
        const text = await response.text();
        if (!isOver) input.onOpen('poll');
        parser.feed(text);
        attempt = 0;
        return 'poll';
      }
      if (pieces === undefined) {
        ability.noteUnreadable();
        return 'poll';
      }
      allow(silentMs);
      let isFirst = true;
      for await (const text of pieces) {
        allow(silentMs);
        ability.noteHeard();
        if (isFirst && !isOver) input.onOpen('sse');
        isFirst = false;
        parser.feed(text);
      }
      return 'sse';
    } catch (error) {
      if (isLate && !isPoll) ability.noteSilent();
      throw error;
    } finally {
      cancelTimer();
      abort = undefined;
      controller.abort();
    }
  }

  function take(frame: ServerFrame): void {
    if (isOver) return;
    if (frame.type === 'draining') {
      hintMs = frame.retryInMs;
      return;
    }
    // The stream ends with its token; the next one has a new one.
    if (frame.type === 'error' && (frame.code === 'token_expired' || frame.code === 'token_revoked')) return;
    if (frame.type === 'position') {
      const { run, seq, state } = frame.position;
      known = `${run}-${seq}-${state}`;
    }
    input.onFrame(frame);
  }

  function pause(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = runtime.setTimer(resolve, ms);
      endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}
