import type { SosReply, SosTrigger } from '@hushryd/contracts/http/sos';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { Connection } from '../connection/connection.ts';
import { callGuarded } from '../connection/emitter.ts';
import type { CancelTimer, Runtime } from '../connection/runtime.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { SosStore } from './sos-store.ts';
import { uuidV7 } from './uuid-v7.ts';

/** Send an alert over HTTPS. @throws HttpProblem */
export type PostSos = (apiUrl: string, trigger: SosTrigger) => Promise<SosReply>;

/** What the app knows of the situation; all of it may be missing. */
export type SosDetails = Omit<SosTrigger, 'alertId' | 'triggeredAt'>;

export interface SosCall {
  /** Made when the button was pressed; also the topic `sos:{alertId}`, unless the answer names another. */
  readonly alertId: string;
  /** Resolves once somebody holds the alert. Rejects only where the server refuses even the bare id and time of the press. */
  readonly answered: Promise<SosReply>;
}

export interface SosOptions {
  /** Keeps unanswered alerts over a restart of the app; `connect()` sends them again. */
  sosStore?: SosStore;
  /** Origins of further APIs on other hosts, tried in turn with `apiUrl`. */
  sosApiUrls?: readonly string[];
  /** Five seconds without an answer: offer the emergency dialler, and a text message with the place. Trying goes on. */
  onSosUnanswered?(trigger: SosTrigger): void;
  /** Also of an alert from before a restart. */
  onSosAnswered?(trigger: SosTrigger, reply: SosReply): void;
}

export interface SosSender {
  trigger(details: SosDetails): SosCall;
  /** Send again what was unanswered when the app ended. */
  resume(): Promise<void>;
}

interface Open {
  readonly trigger: SosTrigger;
  attempt: number;
  posts: number;
  isDueOnSocket: boolean;
  readonly posting: Set<string>;
  cancelRetry: CancelTimer | undefined;
  cancelWarning: CancelTimer | undefined;
  resolve(reply: SosReply): void;
  reject(error: Error): void;
}

const warnAfterMs = 5_000;
const retryMinMs = 1_000;
const retrySpreadMs = 1_000;

/**
 * Sends an alert until somebody holds it: by the socket where one is live, then over HTTPS too, on one host after the other, every one
 * to two seconds, for ever. The id makes all of these one alert; whichever answer comes first counts.
 *
 * Where a server refuses what the app has said of the situation, it gets the bare press at once: help does not fail for a field.
 *
 * It is sent before it is stored on the phone, and stored before the first retry: no phone's storage stands in the way of help.
 */
export function createSosSender({
  connection,
  postSos,
  apiUrls,
  options: { sosStore, onSosUnanswered, onSosAnswered },
  runtime,
  onError,
}: {
  connection: Pick<Connection, 'state' | 'addSource' | 'wake' | 'nextId' | 'on'>;
  postSos: PostSos;
  apiUrls: readonly string[];
  options: SosOptions;
  runtime: Runtime;
  onError: (error: unknown) => void;
}): SosSender {
  const open = new Map<string, Open>();
  let saving = Promise.resolve();

  connection.addSource(nextFrame, { onlyBySocket: true });
  connection.on('frame', receive);

  function start(trigger: SosTrigger): Promise<SosReply> {
    return new Promise((resolve, reject) => {
      const call: Open = {
        trigger,
        attempt: 0,
        posts: 0,
        isDueOnSocket: false,
        posting: new Set(),
        cancelRetry: undefined,
        cancelWarning: runtime.setTimer(() => callGuarded(onSosUnanswered, trigger), warnAfterMs),
        resolve,
        reject,
      };
      open.set(trigger.alertId, call);
      attempt(call);
      save();
    });
  }

  function attempt(call: Open): void {
    const isLive = connection.state.name === 'live' && connection.state.transport === 'websocket';
    if (isLive) {
      call.isDueOnSocket = true;
      connection.wake();
    }
    if (!isLive || call.attempt > 0) void post(call);
    call.attempt += 1;
    call.cancelRetry = runtime.setTimer(() => attempt(call), retryMinMs + runtime.random() * retrySpreadMs);
  }

  /** The hosts in turn; one that has not answered yet is not asked again meanwhile. */
  async function post(call: Open): Promise<void> {
    const apiUrl = apiUrls[call.posts % apiUrls.length] as string;
    call.posts += 1;
    if (call.posting.has(apiUrl)) return;
    call.posting.add(apiUrl);
    try {
      answer(call, await postPress(apiUrl, call.trigger));
    } catch (error) {
      // A proxy's page says nothing of the alert.
      if (isRefusal(error) && error.code !== 'unreadable') refuse(call, error);
    } finally {
      call.posting.delete(apiUrl);
    }
  }

  /** @throws HttpProblem; `isRefusal` only where the bare press is refused too */
  async function postPress(apiUrl: string, trigger: SosTrigger): Promise<SosReply> {
    try {
      return await postSos(apiUrl, trigger);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { alertId, triggeredAt } = trigger;
      return await postSos(apiUrl, { alertId, triggeredAt });
    }
  }

  function nextFrame(): string | undefined {
    for (const call of open.values()) {
      if (!call.isDueOnSocket) continue;
      call.isDueOnSocket = false;
      return JSON.stringify({ type: 'sos', id: connection.nextId(), ...call.trigger });
    }
    return undefined;
  }

  function receive(frame: ServerFrame): void {
    if (frame.type === 'sos_retry_over_https') {
      const call = open.get(frame.triggerId);
      if (call !== undefined) void post(call);
    }
    if (frame.type !== 'sos_accepted') return;
    const call = open.get(frame.triggerId);
    if (call === undefined) return;
    const { type: _, id: __, triggerId: ___, ...reply } = frame;
    answer(call, reply);
  }

  function answer(call: Open, reply: SosReply): void {
    if (!end(call)) return;
    call.resolve(reply);
    callGuarded((given: SosReply) => onSosAnswered?.(call.trigger, given), reply);
  }

  function refuse(call: Open, error: Error): void {
    if (end(call)) call.reject(error);
  }

  function end(call: Open): boolean {
    call.cancelRetry?.();
    call.cancelWarning?.();
    const wasOpen = open.delete(call.trigger.alertId);
    if (wasOpen) save();
    return wasOpen;
  }

  function save(): void {
    if (sosStore === undefined) return;
    saving = saving.then(() => sosStore.save([...open.values()].map(({ trigger }) => trigger))).catch(onError);
  }

  return {
    trigger(details) {
      const nowMs = runtime.now();
      const trigger: SosTrigger = {
        alertId: uuidV7(nowMs),
        triggeredAt: new Date(nowMs).toISOString(),
        ...details,
      };
      const answered = start(trigger);
      // Whoever does not wait for the promise hears of the answer by `onSosAnswered`.
      answered.catch(() => undefined);
      return { alertId: trigger.alertId, answered };
    },

    async resume() {
      try {
        const stored = (await sosStore?.load()) ?? [];
        for (const trigger of stored) if (!open.has(trigger.alertId)) start(trigger).catch(() => undefined);
      } catch (error) {
        onError(error);
      }
    },
  };
}

/** What was sent is what it does not take: malformed, or too large. */
const isRefusal = (error: unknown): error is HttpProblem =>
  error instanceof HttpProblem && (error.status === 400 || error.status === 413);
