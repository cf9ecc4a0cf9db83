import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { parseTopic } from '@hushryd/contracts/realtime/topics';
import type { FrameSource } from '../connection/frame-pump.ts';
import type { Runtime } from '../connection/runtime.ts';
import type { SubscriptionWish } from '../connection/subscriptions.ts';
import { createAsk } from '../http/ask.ts';
import { createDriverRequests } from '../http/driver-requests.ts';
import type { FetchLike } from '../http/fetch.ts';
import type { GetToken } from '../http/get-token.ts';
import type { HttpProblem } from '../http/http-problem.ts';
import { createSendRequest } from '../http/request.ts';
import { createAnswerWatch } from './answer-watch.ts';
import { createFixesOverHttp, type FixesOverHttp } from './fixes-over-http.ts';
import { followTrip, type TripFollow } from './follow-trip.ts';
import { createStreamAbility } from './stream-ability.ts';
import { createRequestTrip } from './trip-request.ts';

export interface HttpTransport {
  /** Would anything of this go over HTTP? Also where nothing is wanted yet. */
  canServe(topics: ReadonlyMap<string, SubscriptionWish>): boolean;
  /** Is something wanted that comes over a socket only? */
  readonly hasUnserved: boolean;
  /** Nothing is wanted, and so nothing will be answered. */
  readonly isIdle: boolean;
  start(topics: ReadonlyMap<string, SubscriptionWish>): void;
  /** Nothing is told any more. */
  stop(): void;
  add(topic: string, wish: SubscriptionWish): void;
  again(topic: string): void;
  remove(topic: string): void;
  addSource(source: FrameSource): void;
  wake(): void;
  /** A websocket stood meanwhile: what held streams back may be gone. */
  forgetNetwork(): void;
}

/**
 * What goes over the socket otherwise, over HTTP: trips as server-sent events, or polls of them; a driver's fixes as posts.
 *
 * @param onTransport something was answered, in this way
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
  const ability = createStreamAbility();
  const watch = createAnswerWatch(input);
  const send = createSendRequest({ apiUrl, getToken, fetch, timeoutMs: answerMs });
  const fixes: FixesOverHttp = createFixesOverHttp({
    http: createDriverRequests(createAsk(send)),
    runtime,
    onFrame,
    onAnswered() {
      watch.answered(fixes);
      if (follows.size === 0) input.onTransport('poll');
    },
    onFailed: (error) => watch.failed(fixes, error),
  });
  const follows = new Map<string, TripFollow>();
  const unserved = new Set<string>();
  let isStarted = false;
  let hasSources = false;

  function add(topic: string, { seen }: SubscriptionWish): void {
    if (!isStarted || follows.has(topic)) return;
    const tripId = tripOf(topic);
    if (tripId === undefined) {
      unserved.add(topic);
      input.onUnserved(topic);
      return;
    }
    const follow: TripFollow = followTrip({
      tripId,
      seen: () => seen?.(),
      requestTrip,
      ability,
      runtime,
      answerMs,
      onFrame,
      onOpen(transport) {
        watch.answered(follow);
        input.onTransport(transport);
      },
      onFailed: (error) => watch.failed(follow, error),
    });
    follows.set(topic, follow);
  }

  return {
    canServe: (topics) =>
      hasSources || topics.size === 0 || [...topics.keys()].some((topic) => tripOf(topic) !== undefined),
    get hasUnserved() {
      return unserved.size > 0;
    },
    get isIdle() {
      return !hasSources && follows.size === 0 && unserved.size === 0;
    },
    start(topics) {
      isStarted = true;
      watch.clear();
      fixes.start();
      for (const [topic, wish] of topics) add(topic, wish);
    },
    stop() {
      isStarted = false;
      fixes.stop();
      for (const follow of follows.values()) follow.close();
      follows.clear();
      unserved.clear();
    },
    add,
    again: (topic) => follows.get(topic)?.again(),
    remove(topic) {
      unserved.delete(topic);
      const follow = follows.get(topic);
      if (follow === undefined) return;
      follow.close();
      follows.delete(topic);
      watch.forget(follow);
    },
    addSource(source) {
      hasSources = true;
      fixes.addSource(source);
    },
    wake: fixes.wake,
    forgetNetwork: ability.noteOpen,
  };
}

/** Of all topics only trips go over HTTP. */
function tripOf(topic: string): string | undefined {
  const parsed = parseTopic(topic);
  return parsed?.kind === 'trip' ? parsed.tripId : undefined;
}
