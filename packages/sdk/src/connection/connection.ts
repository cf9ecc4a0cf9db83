import type { ClientFrame } from '@hushryd/contracts/realtime/client-frames';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { realtimePath } from '@hushryd/contracts/realtime/limits';
import type { ReadyFrame, ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { createAccessTokens } from '../http/access-tokens.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { createRefusalCount, isOfToken, isTokenRefusal } from '../http/token-refusals.ts';
import type { EventPlace } from '../watching/event-place.ts';
import { createAuthenticate } from './authenticate.ts';
import type { ConnectionEvents, ConnectionOptions, Encoding } from './connection-options.ts';
import type { ConnectionState } from './connection-state.ts';
import { ConnectionError } from './connection-state.ts';
import type { SessionEnd } from './decide-reconnect.ts';
import { decideReconnect, describeEnd, refusalOf } from './decide-reconnect.ts';
import type { Unsubscribe } from './emitter.ts';
import { createEmitter } from './emitter.ts';
import type { FrameSource } from './frame-pump.ts';
import { createFramePump } from './frame-pump.ts';
import type { CancelTimer } from './runtime.ts';
import { toRuntime } from './runtime.ts';
import type { Session } from './session.ts';
import { openSession } from './session.ts';
import { defaultCreateSocket } from './socket.ts';
import { createSubscriptions, type SubscriptionWish } from './subscriptions.ts';
import { createTokenRefresh } from './token-refresh.ts';
import { whenLive } from './when-live.ts';

export interface Connection {
  readonly state: ConnectionState;
  /** How fixes and positions travel on the socket that is open; another one may have another. */
  readonly encoding: Encoding;
  /** The server's clock as far as we know it, epoch milliseconds. */
  serverTimeMs(): number;
  /**
   * Resolves once live; rejects if the connection is closed before that. Failed tries do neither: they are repeated. While
   * 'reconnecting' it tries at once, as after the system said that the network is back.
   */
  connect(): Promise<void>;
  close(): void;
  /** Kept over reconnects; answers come as frames. @throws RangeError beyond 32 topics */
  subscribe(topic: string, wish?: SubscriptionWish): void;
  /** Something of a topic was missed, or another part of it is wanted: subscribe again from where we are. */
  resubscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Has the newest `sub` of the topic been answered? */
  isSubscribed(topic: string): boolean;
  /** Tell the server that alerts of a topic were dealt with, up to a place. Lost with the socket: then they come again. */
  acknowledge(topic: string, place: EventPlace): void;
  /**
   * Ask for more frames to send here; see `FrameSource`. `onlyBySocket`: they have a way of their own where there is no socket.
   */
  addSource(source: FrameSource, options?: { onlyBySocket?: boolean }): void;
  wake(): void;
  /** A number that no other request of this connection carries. */
  nextId(): number;
  on<Name extends keyof ConnectionEvents>(name: Name, listener: (value: ConnectionEvents[Name]) => void): Unsubscribe;
}

// A node that accepts and then drops us at once must not bring the wait back to its start.
const stableAfterMs = 10_000;

/** One socket that comes back by itself. The states and their arrows stand in `connection-state.ts`. */
export function createConnection(options: ConnectionOptions): Connection {
  const { apiUrl, fetch, auth = 'ticket', encoding = 'json' } = options;
  const { connectTimeoutMs = 10_000, silenceMs = 10_000 } = options;
  if (auth === 'bearer' && !options.createSocket) throw new Error("auth 'bearer' needs createSocket, to set headers");
  const createSocket = options.createSocket ?? defaultCreateSocket();
  const url = toSocketUrl(options.realtimeUrl);
  const tokens = createAccessTokens(options.getToken);
  const authenticate = createAuthenticate({ auth, encoding, apiUrl, tokens, fetch, timeoutMs: connectTimeoutMs });

  const runtime = toRuntime(options);
  const events = createEmitter<ConnectionEvents>();
  const subscriptions = createSubscriptions();
  const pump = createFramePump(runtime);
  const refresh = createTokenRefresh({
    runtime,
    tokens,
    send(token) {
      refreshId = nextId();
      sendUrgent({ type: 'refresh', id: refreshId, token });
    },
    onError: (cause) => fail('token_unavailable', 'No new token could be had', cause),
  });
  const urgent: ClientFrame[] = [];
  /** By topic; the newest covers those before it. */
  const acks = new Map<string, EventPlace>();
  pump.addSource(() => toText(urgent.shift()));
  pump.addSource(() => toText(nextAck()));
  pump.addSource(() => toText(subscriptions.next(nextId)));

  let state: ConnectionState = { name: 'closed', reason: 'not_started' };
  let session: Session | undefined;
  let lastId = 0;
  let refreshId: number | undefined;
  let serverAheadMs = 0;
  let failedTries = 0;
  const refusals = createRefusalCount(runtime.now);
  let comeBackAtMs: number | undefined;
  let cancelNextStep: CancelTimer | undefined;
  let cancelStable: CancelTimer | undefined;

  return {
    get state() {
      return state;
    },
    get encoding() {
      return session?.encoding ?? 'json';
    },
    serverTimeMs,
    connect() {
      if (state.name === 'closed') {
        failedTries = 0;
        refusals.clear();
      }
      if (state.name === 'closed' || state.name === 'reconnecting') open();
      return whenLive(state, (listener) => events.on('state', listener));
    },
    close() {
      if (state.name === 'closed') return;
      endSession();
      setState({ name: 'closed', reason: 'closed_by_app' });
    },
    subscribe(topic, wish) {
      subscriptions.add(topic, wish);
      pump.wake();
    },
    resubscribe(topic) {
      subscriptions.again(topic);
      pump.wake();
    },
    acknowledge(topic, place) {
      acks.set(topic, place);
      pump.wake();
    },
    unsubscribe(topic) {
      subscriptions.remove(topic);
      pump.wake();
    },
    isSubscribed: subscriptions.isLive,
    addSource: (source) => pump.addSource(source),
    wake: pump.wake,
    nextId,
    on: events.on,
  };

  // The loop: open → live → lost → wait → open.

  function open(): void {
    cancelNextStep?.();
    comeBackAtMs = undefined;
    setState({ name: 'connecting', attempt: failedTries });
    session = openSession({
      url,
      authenticate,
      createSocket,
      runtime,
      connectTimeoutMs,
      silenceMs,
      onReady: goLive,
      onFrame: receive,
      onUnreadable: (cause) => fail('frame_unreadable', 'A frame of the server could not be read', cause),
      onSilence: () => sendUrgent({ type: 'ping', id: nextId() }),
      onTick: () => subscriptions.tick() && pump.wake(),
      onEnd: lose,
    });
  }

  function goLive(frame: ReadyFrame): void {
    refusals.clear();
    tokens.accept();
    serverAheadMs = frame.serverTimeMs - runtime.now();
    refresh.schedule(frame.expiresAtMs - frame.serverTimeMs);
    cancelStable = runtime.setTimer(() => {
      failedTries = 0;
    }, stableAfterMs);
    urgent.length = 0;
    acks.clear();
    subscriptions.reset();
    setState({ name: 'live', transport: 'websocket', connectionId: frame.connectionId });
    events.emit('carrying', true);
    events.emit('frame', frame);
    if (session) pump.start(session.send);
  }

  function lose(end: SessionEnd): void {
    endSession();
    // Nobody sees why an upgrade with a bearer token was refused; after a refused token it may be the next one's turn.
    const isInDoubt = auth === 'bearer' && tokens.isRefused && state.name !== 'live';
    if (needsOtherToken(end) || isInDoubt) tokens.refuse();
    const isRefusal = end.kind === 'not_opened' && isTokenRefusal(end.error);
    if (!isRefusal) refusals.clear();
    const refused = isRefusal ? refusals.note() : 0;
    const hintMs = comeBackAtMs === undefined ? undefined : Math.max(0, comeBackAtMs - runtime.now());
    const decision = decideReconnect({ end, attempt: failedTries, hintMs, refusals: refused, random: runtime.random });
    if (!decision.again) {
      setState({ name: 'closed', ...decision.closed });
      return;
    }
    failedTries += 1;
    cancelNextStep = runtime.setTimer(open, decision.delayMs);
    const nextTryAtMs = runtime.now() + decision.delayMs;
    const refusal = refusalOf(end);
    const cause = describeEnd(end);
    setState({ name: 'reconnecting', attempt: failedTries, nextTryAtMs, cause, ...(refusal && { refusal }) });
  }

  function endSession(): void {
    refresh.stop();
    pump.stop();
    cancelNextStep?.();
    cancelStable?.();
    session?.leave();
    session = undefined;
    events.emit('carrying', false);
  }

  function receive(frame: ServerFrame): void {
    subscriptions.handle(frame);
    if (frame.type === 'pong') serverAheadMs = frame.serverTimeMs - runtime.now();
    if (frame.type === 'refreshed') {
      tokens.accept();
      refresh.schedule(frame.expiresAtMs - serverTimeMs());
    }
    if (frame.type === 'error' && frame.id !== undefined && frame.id === refreshId && isOfToken(frame.code)) {
      tokens.refuse();
    }
    if (frame.type === 'draining' || frame.type === 'busy') prepareToLeave(frame.retryInMs);
    events.emit('frame', frame);
  }

  /** The server is about to close the socket. If it does not, we leave at the moment when it wanted us back. */
  function prepareToLeave(retryInMs: number): void {
    comeBackAtMs = runtime.now() + retryInMs;
    cancelNextStep?.();
    cancelNextStep = runtime.setTimer(
      () => lose({ kind: 'socket_closed', code: closeCodes.draining, reason: '' }),
      retryInMs,
    );
  }

  /** `ping` and `refresh`: a newer one takes the place of one that was not sent yet. */
  function sendUrgent(frame: ClientFrame): void {
    const place = urgent.findIndex(({ type }) => type === frame.type);
    urgent.splice(place < 0 ? urgent.length : place, 1, frame);
    pump.wake();
  }

  function nextAck(): ClientFrame | undefined {
    for (const [topic, place] of acks) {
      acks.delete(topic);
      return { type: 'ack', topic, ...place };
    }
    return undefined;
  }

  function serverTimeMs(): number {
    return runtime.now() + serverAheadMs;
  }

  function nextId(): number {
    lastId += 1;
    return lastId;
  }

  function setState(next: ConnectionState): void {
    state = next;
    events.emit('state', next);
  }

  function fail(code: ConnectionError['code'], message: string, cause: unknown): void {
    events.emit('error', new ConnectionError(code, message, cause));
  }
}

/** The token is over or refused, though the app may still hold it for a good one. */
function needsOtherToken(end: SessionEnd): boolean {
  if (end.kind === 'socket_closed') return end.code === closeCodes.tokenExpired;
  return end.kind === 'not_opened' && end.error instanceof HttpProblem && isOfToken(end.error.code);
}

function toText(frame: ClientFrame | undefined): string | undefined {
  return frame && JSON.stringify(frame);
}

/** Accepts http(s) for ws(s), and the address of the server for that of the socket. */
function toSocketUrl(realtimeUrl: string): string {
  const url = realtimeUrl.replace(/^http/, 'ws').replace(/\/+$/, '');
  return url.endsWith(realtimePath) ? url : url + realtimePath;
}
