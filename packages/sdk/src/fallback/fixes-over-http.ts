import type { ErrorCode } from '@hushryd/contracts/errors';
import type { HelloFrame, LocFrame } from '@hushryd/contracts/realtime/client-frames';
import { realtimeLimits } from '@hushryd/contracts/realtime/limits';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import type { FrameSource } from '../connection/frame-pump.ts';
import type { CancelTimer, Runtime } from '../connection/runtime.ts';
import type { DriverRequests } from '../http/driver-requests.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { isOfToken } from '../http/token-refusals.ts';
import { toPosition } from './to-position.ts';

export interface FixesOverHttp {
  addSource(source: FrameSource): void;
  wake(): void;
  start(): void;
  stop(): void;
}

/** What a run that was sent still waits for. */
interface OwedRun {
  from: number;
  lastSeq: number;
  durableSeq: number;
}

const sendEveryMs = 1_000;
const askDurableEveryMs = 2_000;
/** Beyond this, words are forgotten: one that is said twice does no harm. */
const maxSaid = 100;

/**
 * A driver's frames over HTTP, one request at a time: `hello` becomes `POST /v1/drivers/me/runs`, `loc` `POST /v1/drivers/me/fixes`, and
 * the answers become the frames that a socket would bring. How far a run is durable is asked with an empty list while anything is owed.
 *
 * Bounded: one number of each run that its sources send in.
 */
export function createFixesOverHttp({
  http,
  runtime,
  onFrame,
  onAnswered,
  onFailed,
}: {
  http: Pick<DriverRequests, 'createRun' | 'postFixes'>;
  runtime: Runtime;
  onFrame: (frame: ServerFrame) => void;
  onAnswered: () => void;
  onFailed: (error: unknown) => void;
}): FixesOverHttp {
  const sources: FrameSource[] = [];
  const owed = new Map<number, OwedRun>();
  /** Trips that were refused, and runs that were overtaken: said once. */
  const said = new Set<string>();
  /** What the app was last asked to keep to over HTTP. */
  let saidCadenceMs: number | undefined;
  let round = 0;
  let isRunning = false;
  let isBusy = false;
  let cancelPause: CancelTimer | undefined;
  let cancelAsk: CancelTimer | undefined;

  return {
    addSource: (source) => void sources.push(source),
    wake,
    start() {
      isRunning = true;
      wake();
    },
    stop() {
      isRunning = false;
      isBusy = false;
      round += 1;
      owed.clear();
      said.clear();
      saidCadenceMs = undefined;
      cancelPause?.();
      cancelAsk?.();
      cancelAsk = undefined;
    },
  };

  /** In a microtask, so that what one piece of code adds in one go can share a request. */
  function wake(): void {
    if (!isRunning || isBusy) return;
    isBusy = true;
    void Promise.resolve().then(() => pump(round));
  }

  async function pump(own: number): Promise<void> {
    if (own !== round) return;
    const text = nextText();
    if (text === undefined) {
      isBusy = false;
      return;
    }
    const frame = JSON.parse(text) as HelloFrame | LocFrame;
    const isAnswered = await answer(frame, own);
    if (own !== round) return;
    // Who has much to send goes on at once; a fix a second needs no more than a request a second, and what failed would fail again.
    const isFull = frame.type === 'hello' || frame.fixes.length === realtimeLimits.fixesPerFrame;
    if (isFull && isAnswered) void pump(own);
    else cancelPause = runtime.setTimer(() => void pump(own), sendEveryMs);
  }

  /** Where no socket is open the sources give JSON, see `Connection.encoding`. */
  function nextText(): string | undefined {
    for (const source of sources) {
      const text = source();
      if (typeof text === 'string') return text;
    }
    return undefined;
  }

  /** @returns false where the request failed */
  async function answer(frame: HelloFrame | LocFrame, own: number): Promise<boolean> {
    let isAnswered = false;
    try {
      const frames = frame.type === 'hello' ? await hello(frame) : await send(frame);
      if (own !== round) return false;
      isAnswered = true;
      onAnswered();
      for (const answered of frames) onFrame(answered);
    } catch (error) {
      if (own !== round) return false;
      onFailed(error);
      if (own !== round) return false;
      if (error instanceof HttpProblem && error.status > 0 && error.status < 500) onFrame(toErrorFrame(error, frame));
    }
    if (own === round) askDurableLater();
    return isAnswered;
  }

  async function hello({ id, run, from }: HelloFrame): Promise<ServerFrame[]> {
    const reply = await http.createRun({ ...(run !== undefined && { run }), ...(from !== undefined && { from }) });
    const { durableSeq, location } = reply;
    const position = location === null ? null : toPosition(location);
    return [{ type: 'welcome', ...(id !== undefined && { id }), run: reply.run, durableSeq, position }];
  }

  async function send({ id, run, from, tripId, fixes }: LocFrame): Promise<ServerFrame[]> {
    const reply = await http.postFixes({ run, from, fixes, ...(tripId !== undefined && { tripId }) });
    const { receivedSeq, durableSeq, drops, supersededBy, offeredRun, refusedTripId, cadenceMs = 0 } = reply;
    const before = owed.get(run);
    owed.set(run, { from, lastSeq: Math.max(receivedSeq, before?.lastSeq ?? 0), durableSeq: before?.durableSeq ?? 0 });
    const frames: ServerFrame[] = [
      {
        type: 'recv',
        ...(id !== undefined && { id }),
        run,
        seq: receivedSeq,
        ...(drops.length > 0 && { drops }),
        ...(cadenceMs !== saidCadenceMs && { cadenceMs }),
      },
      ...raise(run, durableSeq),
    ];
    saidCadenceMs = cadenceMs;
    if (supersededBy !== undefined && isNewWord(`${run} by ${supersededBy}, offered ${offeredRun}`)) {
      frames.push({ type: 'superseded', run, byRun: supersededBy, ...(offeredRun !== undefined && { offeredRun }) });
    }
    if (refusedTripId !== undefined && isNewWord(refusedTripId)) {
      const message = 'There is no such trip, or it is not yours';
      frames.push({ type: 'error', topic: tripTopic(refusedTripId), code: 'not_found', message, retryable: false });
    }
    return frames;
  }

  function isNewWord(word: string): boolean {
    if (said.has(word)) return false;
    if (said.size >= maxSaid) said.clear();
    said.add(word);
    return true;
  }

  function raise(run: number, durableSeq: number): ServerFrame[] {
    const waiting = owed.get(run);
    if (waiting === undefined || durableSeq <= waiting.durableSeq) return [];
    waiting.durableSeq = durableSeq;
    if (durableSeq >= waiting.lastSeq) owed.delete(run);
    return [{ type: 'durable', run, seq: durableSeq }];
  }

  function askDurableLater(): void {
    if (cancelAsk !== undefined || owed.size === 0) return;
    const own = round;
    cancelAsk = runtime.setTimer(() => {
      cancelAsk = undefined;
      void askDurable(own);
    }, askDurableEveryMs);
  }

  async function askDurable(own: number): Promise<void> {
    for (const [run, { from }] of [...owed]) {
      try {
        const { durableSeq } = await http.postFixes({ run, from, fixes: [] });
        if (own !== round) return;
        onAnswered();
        for (const frame of raise(run, durableSeq)) onFrame(frame);
      } catch (error) {
        if (own !== round) return;
        onFailed(error);
        if (own !== round) return;
        if (!isFinal(error)) break;
        // One run that cannot be asked about must not keep the others waiting; what is sent of it again gets its answer.
        owed.delete(run);
        onFrame({ type: 'resend', run, from });
      }
    }
    askDurableLater();
  }
}

/** The same code over HTTP as in an `error` frame, but for what is said of a body and not of a frame. */
function toErrorFrame(problem: HttpProblem, { id }: HelloFrame | LocFrame): ServerFrame {
  const { code, message, isRetryable } = problem;
  const isUnreadable = code === 'request_invalid' || code === 'body_malformed';
  const known = code === 'unreachable' || code === 'unreadable' ? 'internal' : code;
  const asFrame: ErrorCode = isUnreadable ? 'frame_invalid' : known;
  return {
    type: 'error',
    ...(id !== undefined && { id }),
    code: asFrame,
    message,
    retryable: isRetryable || isOfToken(code),
  };
}

/** The same request would be refused again; with another token it may not be. */
function isFinal(error: unknown): boolean {
  return error instanceof HttpProblem && !error.isRetryable && !isOfToken(error.code);
}
