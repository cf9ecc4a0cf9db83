import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import { backoffDelayMs } from '../connection/backoff.ts';
import type { Runtime } from '../connection/runtime.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { isTokenRefusal, refusedWaitMs } from '../http/token-refusals.ts';
import type { EventPlace } from '../watching/event-place.ts';
import { createPatience, type Patience } from './patience.ts';
import { readBody } from './read-body.ts';
import { createSseParser, type SseParser } from './sse-parser.ts';
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
  /** The api answered, with the first piece of a stream or to a poll. */
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
/** Streams that brought nothing in a row, before a poll finds out whether they are held back or nobody answers. */
const maxSilent = 2;

/**
 * A trip's frames over HTTP: one stream after another, each from where the last one ended, or one poll after another where streams
 * cannot be read or are held back. The frames are those of a socket that is subscribed to the trip.
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
  let silentInARow = 0;

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
    if (isTokenRefusal(error)) return refusedWaitMs + jitterMs;
    // Retry-After is the same for everybody, so the jitter goes on top of it.
    return error instanceof HttpProblem ? (error.retryAfterMs ?? 0) + jitterMs : jitterMs;
  }

  /** One request to its end. @throws HttpProblem, or whatever the network throws */
  async function ask(): Promise<'sse' | 'poll'> {
    const isPoll = !ability.canStream || silentInARow >= maxSilent;
    const patience = createPatience(runtime);
    abort = patience.end;
    const parser = createSseParser({
      onData: (data) => take(JSON.parse(data) as ServerFrame),
      onRetry: () => undefined,
    });
    try {
      return await (isPoll ? poll(patience, parser) : stream(patience, parser));
    } catch (error) {
      if (isPoll) silentInARow = 0;
      else if (patience.isLate) silentInARow += 1;
      throw error;
    } finally {
      abort = undefined;
      patience.end();
    }
  }

  async function poll(patience: Patience, parser: SseParser): Promise<'poll'> {
    patience.allow(input.answerMs + waitSeconds * 1000);
    const asked = { tripId, seen: input.seen(), poll: { waitSeconds, known } };
    const response = await input.requestTrip({ ...asked, signal: patience.signal });
    const text = await response.text();
    if (silentInARow >= maxSilent) ability.noteHeldBack();
    silentInARow = attempt = 0;
    if (!isOver) input.onOpen('poll');
    parser.feed(text);
    return 'poll';
  }

  async function stream(patience: Patience, parser: SseParser): Promise<'sse' | 'poll'> {
    patience.allow(input.answerMs);
    const response = await input.requestTrip({ tripId, seen: input.seen(), signal: patience.signal });
    const pieces = readBody(response);
    if (pieces === undefined) {
      ability.noteUnreadable();
      return 'poll';
    }
    patience.allow(silentMs);
    let isFirst = true;
    for await (const text of pieces) {
      patience.allow(silentMs);
      silentInARow = 0;
      ability.noteOpen();
      if (isFirst && !isOver) input.onOpen('sse');
      isFirst = false;
      parser.feed(text);
    }
    return 'sse';
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
