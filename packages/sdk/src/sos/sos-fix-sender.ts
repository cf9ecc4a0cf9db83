import type { Fix } from '@hushryd/contracts/fix';
import type { PostSosFixesBody, SosFixesReply } from '@hushryd/contracts/http/sos-trail';
import { realtimeLimits } from '@hushryd/contracts/realtime/limits';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import type { Connection } from '../connection/connection.ts';
import type { CancelTimer, Runtime } from '../connection/runtime.ts';
import { type FixReading, toFix } from '../fixes/reading.ts';
import { HttpProblem } from '../http/http-problem.ts';

/** Send fixes of an alert over HTTPS. @throws HttpProblem */
export type PostSosFixes = (apiUrl: string, alertId: string, body: PostSosFixesBody) => Promise<SosFixesReply>;

export interface SosFixSender {
  /** @throws RangeError where a time or place is not a finite number */
  send(alertId: string, readings: readonly FixReading[]): void;
}

/** The person's own fixes of one alert that the server has not named yet. */
interface AlertFixes {
  readonly alertId: string;
  readonly run: number;
  lastSeq: number;
  /** By seq, oldest first. */
  readonly kept: Map<number, Fix>;
  /** Asked and not answered; `id` where it went by the socket. */
  underWay: { id: number | undefined } | undefined;
  isDueOnSocket: boolean;
  isOver: boolean;
  /** A server did not take what the phone says beside place and time, and gets these alone. */
  isBare: boolean;
  posts: number;
  unknownSinceMs: number | undefined;
  cancelTimer: CancelTimer | undefined;
}

const maxKept = 2_000;
const answerWithinMs = 3_000;
const retryMinMs = 1_000;
const retrySpreadMs = 1_000;
/** An alert that a journal alone holds is not known to every server yet. */
const unknownForMs = 300_000;

/**
 * Sends the alerting person's fixes until the server says that they are stored, the newest first: whoever comes to help needs to know where
 * the person is now. By the socket where one is live, else over HTTPS, on one host after the other. Of more than 2,000 the oldest are given up.
 *
 * Ends by itself when the server says that the alert has ended.
 */
export function createSosFixSender({
  connection,
  postSosFixes,
  apiUrls,
  runtime,
}: {
  connection: Pick<Connection, 'state' | 'addSource' | 'wake' | 'nextId' | 'on'>;
  postSosFixes: PostSosFixes;
  apiUrls: readonly string[];
  runtime: Runtime;
}): SosFixSender {
  const alerts = new Map<string, AlertFixes>();
  connection.addSource(nextFrame, { onlyBySocket: true });
  connection.on('frame', receive);

  function attempt(alert: AlertFixes): void {
    alert.cancelTimer?.();
    alert.cancelTimer = undefined;
    if (alert.kept.size === 0 || alert.isOver) return;
    const isLive = connection.state.name === 'live' && connection.state.transport === 'websocket';
    if (!isLive) {
      void post(alert);
      return;
    }
    alert.underWay = { id: undefined };
    alert.isDueOnSocket = true;
    alert.cancelTimer = runtime.setTimer(() => {
      alert.isDueOnSocket = false;
      void post(alert);
    }, answerWithinMs);
    connection.wake();
  }

  async function post(alert: AlertFixes): Promise<void> {
    const own = { id: undefined };
    alert.underWay = own;
    const apiUrl = apiUrls[alert.posts % apiUrls.length] as string;
    alert.posts += 1;
    try {
      const reply = await postSosFixes(apiUrl, alert.alertId, bodyOf(alert));
      if (alert.underWay === own) settle(alert, reply);
    } catch (error) {
      if (alert.underWay === own) fail(alert, error instanceof HttpProblem ? error.code : 'unreachable');
    }
  }

  function nextFrame(): string | undefined {
    for (const alert of alerts.values()) {
      if (!alert.isDueOnSocket) continue;
      alert.isDueOnSocket = false;
      const id = connection.nextId();
      alert.underWay = { id };
      return JSON.stringify({ type: 'sos_loc', id, alertId: alert.alertId, ...bodyOf(alert) });
    }
    return undefined;
  }

  function receive(frame: ServerFrame): void {
    if (frame.type !== 'sos_recv' && frame.type !== 'error') return;
    if (frame.id === undefined) return;
    for (const alert of alerts.values()) {
      if (alert.underWay?.id !== frame.id) continue;
      if (frame.type === 'sos_recv') settle(alert, frame);
      else fail(alert, frame.code);
    }
  }

  function settle(alert: AlertFixes, { durableSeqs, drops }: Pick<SosFixesReply, 'durableSeqs' | 'drops'>): void {
    for (const seq of durableSeqs) alert.kept.delete(seq);
    for (const { seq } of drops) alert.kept.delete(seq);
    alert.unknownSinceMs = undefined;
    const hasProgress = durableSeqs.length + drops.length > 0;
    goOn(alert, hasProgress ? 0 : retryDelayMs());
  }

  function fail(alert: AlertFixes, code: string): void {
    if (code === 'not_found') alert.unknownSinceMs ??= runtime.now();
    const isGivenUp = alert.unknownSinceMs !== undefined && runtime.now() - alert.unknownSinceMs > unknownForMs;
    const isRefused = code === 'request_invalid' || code === 'frame_invalid';
    if (isRefused && !alert.isBare) {
      alert.isBare = true;
      goOn(alert, 0);
      return;
    }
    if (code === 'sos_state_conflict' || code === 'request_invalid' || isGivenUp) {
      alert.isOver = true;
      alert.kept.clear();
    }
    goOn(alert, retryDelayMs());
  }

  function goOn(alert: AlertFixes, delayMs: number): void {
    alert.underWay = undefined;
    alert.cancelTimer?.();
    if (delayMs === 0) attempt(alert);
    else alert.cancelTimer = runtime.setTimer(() => attempt(alert), delayMs);
  }

  const retryDelayMs = () => retryMinMs + runtime.random() * retrySpreadMs;

  return {
    send(alertId, readings) {
      const nowMs = runtime.now();
      const alert = alerts.get(alertId) ?? begin(alertId, nowMs);
      alerts.set(alertId, alert);
      if (alert.isOver) return;
      for (const reading of readings) {
        alert.lastSeq += 1;
        alert.kept.set(alert.lastSeq, toFix(alert.lastSeq, reading));
      }
      for (const seq of alert.kept.keys()) {
        if (alert.kept.size <= maxKept) break;
        alert.kept.delete(seq);
      }
      if (alert.underWay === undefined && alert.cancelTimer === undefined) attempt(alert);
    },
  };
}

function begin(alertId: string, nowMs: number): AlertFixes {
  return {
    alertId,
    run: Math.max(1, Math.floor(nowMs)),
    lastSeq: 0,
    kept: new Map(),
    underWay: undefined,
    isDueOnSocket: false,
    isOver: false,
    isBare: false,
    posts: 0,
    unknownSinceMs: undefined,
    cancelTimer: undefined,
  };
}

function bodyOf({ run, kept, isBare }: AlertFixes): PostSosFixesBody {
  const fixes = [...kept.values()].slice(-realtimeLimits.fixesPerFrame);
  return {
    run,
    fixes: isBare ? fixes.map(({ seq, recordedAtMs, lat, lng }) => ({ seq, recordedAtMs, lat, lng })) : fixes,
  };
}
