import type { Connection } from '../connection/connection.ts';
import { createConnection } from '../connection/connection.ts';
import type { ConnectionEvents, ConnectionOptions } from '../connection/connection-options.ts';
import type { ConnectionState } from '../connection/connection-state.ts';
import { ConnectionError } from '../connection/connection-state.ts';
import { createEmitter } from '../connection/emitter.ts';
import type { CancelTimer } from '../connection/runtime.ts';
import { toRuntime } from '../connection/runtime.ts';
import type { SubscriptionWish } from '../connection/subscriptions.ts';
import { whenLive } from '../connection/when-live.ts';
import { defaultFetch } from '../http/fetch.ts';
import { createHttpTransport } from './http-transport.ts';
import { returnDelayMs } from './is-blocked.ts';
import { createProbeApi } from './probe-api.ts';
import { createSocketWatch } from './socket-watch.ts';

/**
 * A connection that does without its socket where websockets are blocked and the api answers.
 *
 * ```
 * websocket ──openings fail for a while, the api answers──▶ http ──a socket stands──▶ websocket
 *                                                           http ──the api is lost too──▶ websocket, reconnecting
 * ```
 *
 * Over HTTP the same frames come from the same places in the event logs, so whoever listens hears each event once and in order over
 * all changes. It is 'live' from the first answer on, not before. The socket goes on trying as ever until HTTP serves all that is wanted;
 * then it is tried again after 15–30 s, more and more seldom, at least every 5 minutes.
 */
export function createFallbackConnection(options: ConnectionOptions): Connection {
  const socket = createConnection(options);
  if (options.fallback === false) return socket;

  const { apiUrl, getToken, connectTimeoutMs = 10_000 } = options;
  const runtime = toRuntime(options);
  const fetch = options.fetch ?? defaultFetch();
  const events = createEmitter<ConnectionEvents>();
  const topics = new Map<string, SubscriptionWish>();
  const tries = createSocketWatch(runtime.now);
  const probeApi = createProbeApi({ apiUrl, fetch, timeoutMs: connectTimeoutMs, runtime });
  const http = createHttpTransport({
    apiUrl,
    getToken,
    fetch,
    answerMs: connectTimeoutMs,
    runtime,
    onFrame: (frame) => events.emit('frame', frame),
    onTransport: serveOverHttp,
    onLost: () =>
      leaveHttp(() => {
        if (socket.state.name === 'closed') void socket.connect();
        else setState(socket.state);
      }),
    onRefused({ message }) {
      // A return may be under way.
      socket.close();
      leaveHttp(() => setState({ name: 'closed', reason: 'refused', message }));
    },
    onUnserved(topic) {
      fail(`${topic} comes over a websocket only, and none can be opened for the moment`);
      if (socket.state.name === 'closed') trySocket();
    },
  });

  let state: ConnectionState = socket.state;
  let isHttp = false;
  let failedReturns = 0;
  let cancelReturn: CancelTimer | undefined;

  socket.on('state', (now) => (isHttp ? followReturn(now) : follow(now)));
  socket.on('carrying', (isCarrying) => {
    if (!isHttp) events.emit('carrying', isCarrying);
  });
  socket.on('error', (error) => events.emit('error', error));
  socket.on('frame', (frame) => {
    // A crowd that is asked to wait for its sockets must not come to the api instead.
    if (frame.type === 'busy' || frame.type === 'draining') tries.sentAway();
    if (!isHttp) events.emit('frame', frame);
  });

  return {
    get state() {
      return state;
    },
    get encoding() {
      return isHttp ? 'json' : socket.encoding;
    },
    serverTimeMs: socket.serverTimeMs,
    connect() {
      trySocket();
      return whenLive(state, (listener) => events.on('state', listener));
    },
    close() {
      if (!isHttp) {
        socket.close();
        return;
      }
      leaveHttp(() => {
        if (socket.state.name === 'closed') setState({ name: 'closed', reason: 'closed_by_app' });
        else socket.close();
      });
    },
    subscribe(topic, wish = {}) {
      socket.subscribe(topic, wish);
      topics.set(topic, wish);
      if (isHttp) http.add(topic, wish);
    },
    // Over HTTP nothing that is asked for by name comes late, so only sockets know of a subscription that is not answered yet.
    isSubscribed: (topic) => (isHttp ? topics.has(topic) : socket.isSubscribed(topic)),
    resubscribe: (topic) => (isHttp ? http.again(topic) : socket.resubscribe(topic)),
    unsubscribe(topic) {
      topics.delete(topic);
      http.remove(topic);
      socket.unsubscribe(topic);
    },
    acknowledge: socket.acknowledge,
    addSource(source, { onlyBySocket = false } = {}) {
      socket.addSource(source);
      if (!onlyBySocket) http.addSource(source);
    },
    wake() {
      if (isHttp) http.wake();
      else socket.wake();
    },
    nextId: socket.nextId,
    on: events.on,
  };

  /** The socket's states are ours while it is what we use. */
  function follow(now: ConnectionState): void {
    if (tries.note(now)) failedReturns = 0;
    if (now.name === 'live') http.forgetNetwork();
    setState(now);
    if (now.name !== 'reconnecting' || now.refusal !== undefined) return;
    if (tries.isBlocked && http.canServe(topics)) void fallBackIfApiAnswers();
  }

  async function fallBackIfApiAnswers(): Promise<void> {
    const doesAnswer = await probeApi();
    // Meanwhile the next try may have begun; only one that succeeded, or the end, is another matter.
    if (!doesAnswer || isHttp || state.name === 'live' || state.name === 'closed') return;
    isHttp = true;
    setState({ name: 'connecting', attempt: state.attempt });
    http.start(topics);
    events.emit('carrying', true);
    if (http.isIdle) serveOverHttp('poll');
  }

  /** It was answered. */
  function serveOverHttp(transport: 'sse' | 'poll'): void {
    const wasLive = state.name === 'live';
    if (state.name !== 'live' || state.transport !== transport) setState({ name: 'live', transport });
    if (!wasLive) restSocket();
  }

  /** The socket goes on trying by itself until HTTP serves all that is wanted. */
  function restSocket(): void {
    if (!isHttp || state.name !== 'live' || http.hasUnserved) return;
    if (socket.state.name === 'reconnecting') socket.close();
    if (socket.state.name === 'closed') returnLater();
  }

  function returnLater(): void {
    cancelReturn?.();
    cancelReturn = runtime.setTimer(trySocket, returnDelayMs({ failed: failedReturns, random: runtime.random }));
    failedReturns += 1;
  }

  function trySocket(): void {
    cancelReturn?.();
    void socket.connect();
  }

  function followReturn(now: ConnectionState): void {
    if (now.name === 'live') {
      tries.note(now);
      http.forgetNetwork();
      // Before the socket asks for its topics, so that it asks from the place that HTTP has reached.
      leaveHttp(() => setState(now));
    } else if (now.name === 'reconnecting') {
      restSocket();
    } else if (now.name === 'closed' && now.reason === 'ended_by_server') {
      leaveHttp(() => setState(now));
    } else if (now.name === 'closed' && now.reason === 'refused') {
      if (state.name === 'live') returnLater();
      else leaveHttp(() => setState(now));
    }
  }

  function leaveHttp(then: () => void): void {
    isHttp = false;
    cancelReturn?.();
    http.stop();
    events.emit('carrying', false);
    then();
  }

  function setState(next: ConnectionState): void {
    state = next;
    events.emit('state', next);
  }

  function fail(message: string): void {
    events.emit('error', new ConnectionError('needs_websocket', message));
  }
}
