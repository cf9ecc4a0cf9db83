import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { parseTopic } from '@hushryd/contracts/realtime/topics';
import type { FrameSource } from '../connection/frame-pump.ts';
import type { Runtime } from '../connection/runtime.ts';
import type { SubscriptionWish } from '../connection/subscriptions.ts';
import type { FetchLike } from '../http/fetch.ts';
import { createHttpClient } from '../http/http-client.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { GetToken } from '../http/request.ts';
import { isTokenRefusal, maxTokenRefusals } from '../http/token-refusals.ts';
import { createFixesOverHttp } from './fixes-over-http.ts';
import { followTrip, type TripFollow } from './follow-trip.ts';
import { createStreamAbility, type StreamAbility } from './stream-ability.ts';
import { createRequestTrip } from './trip-request.ts';

export interface HttpTransport {
  start(topics: ReadonlyMap<string, SubscriptionWish>): void;
  /** Nothing is told any more. */
  stop(): void;
  add(topic: string, wish: SubscriptionWish): void;
  again(topic: string): void;
  remove(topic: string): void;
  addSource(source: FrameSource): void;
  wake(): void;
}

/** Requests that failed in a row, whatever they were for, before the api counts as lost too. */
const maxFailures = 3;

/**
 * What goes over the socket otherwise, over HTTP: trips as server-sent events, or polls of them; a driver's fixes as posts.
 *
 * @param onTransport how it is done at the moment
 * @param onLost the api does not answer either
 * @param onRefused the api refused the token twice in a row
 * @param onUnserved a topic that comes over a socket only
 */
export function createHttpTransport(input: {
  apiUrl: string;
  getToken: GetToken;
  fetch: FetchLike;
  answerMs: number;
  runtime: Runtime;
  onFrame: (frame: ServerFrame) => void;
  onTransport: (transport: 'sse' | 'poll') => void;
  onLost: (cause: string) => void;
  onRefused: (problem: HttpProblem) => void;
  onUnserved: (topic: string) => void;
}): HttpTransport {
  const { apiUrl, getToken, fetch, answerMs, runtime, onFrame } = input;
  const requestTrip = createRequestTrip({ apiUrl, getToken, fetch, now: runtime.now });
  const fixes = createFixesOverHttp({
    http: createHttpClient({ apiUrl, getToken, fetch, timeoutMs: answerMs }),
    runtime,
    onFrame,
    onAnswered: succeed,
    onFailed: fail,
  });
  const follows = new Map<string, TripFollow>();
  let ability: StreamAbility = createStreamAbility();
  let isStarted = false;
  let failures = 0;
  let refused = 0;

  function add(topic: string, { seen }: SubscriptionWish): void {
    if (!isStarted || follows.has(topic)) return;
    const parsed = parseTopic(topic);
    if (parsed?.kind !== 'trip') {
      input.onUnserved(topic);
      return;
    }
    const follow = followTrip({
      tripId: parsed.tripId,
      seen: () => seen?.(),
      requestTrip,
      ability,
      runtime,
      answerMs,
      onFrame,
      onOpen(transport) {
        succeed();
        input.onTransport(transport);
      },
      onFailed: fail,
    });
    follows.set(topic, follow);
  }

  function succeed(): void {
    failures = refused = 0;
  }

  function fail(error: unknown): void {
    if (!isStarted) return;
    const isAnswer = error instanceof HttpProblem && error.status > 0;
    if (isTokenRefusal(error)) {
      refused += 1;
      if (refused >= maxTokenRefusals) input.onRefused(error);
      return;
    }
    // Too many, or another node has to be asked: the api is there.
    if (isAnswer && error.status < 500) return;
    failures += 1;
    if (failures >= maxFailures) input.onLost(error instanceof Error ? error.message : 'the api does not answer');
  }

  return {
    start(topics) {
      isStarted = true;
      ability = createStreamAbility();
      succeed();
      fixes.start();
      for (const [topic, wish] of topics) add(topic, wish);
    },
    stop() {
      isStarted = false;
      fixes.stop();
      for (const follow of follows.values()) follow.close();
      follows.clear();
    },
    add,
    again: (topic) => follows.get(topic)?.again(),
    remove(topic) {
      follows.get(topic)?.close();
      follows.delete(topic);
    },
    addSource: fixes.addSource,
    wake: fixes.wake,
  };
}
