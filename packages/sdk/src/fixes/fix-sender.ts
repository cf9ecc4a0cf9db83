import type {
  DurableFrame,
  ErrorFrame,
  RecvFrame,
  ResendFrame,
  ServerFrame,
  SupersededFrame,
  WelcomeFrame,
} from '@hushryd/contracts/realtime/server-frames';
import type { Encoding } from '../connection/connection-options.ts';
import type { Runtime } from '../connection/runtime.ts';
import type { OutgoingFrame } from '../connection/socket.ts';
import type { FixQueue } from './fix-queue.ts';
import { FramesUnderWay } from './frames-under-way.ts';
import { createLateTimer } from './late-timer.ts';
import { packBinaryLocFrame, packJsonLocFrame } from './loc-frame.ts';
import type { RunOfFixes } from './run-of-fixes.ts';

export interface FixSenderEvents {
  /** A fix was answered with a reason; it is not kept any longer. */
  onDrop(drop: { run: number; seq: number; reason: RecvDropReason | 'refused' }): void;
  /** The queue changed: fixes became durable, moved to another run, or left. */
  onProgress(): void;
  /** The server will not take this frame, or any of ours, however often it is sent. */
  onRefused(frame: ErrorFrame): void;
}

type RecvDropReason = NonNullable<RecvFrame['drops']>[number]['reason'];

export interface FixSender {
  /** The connection's `FrameSource`: the next `hello` or `loc`. */
  next(): OutgoingFrame | undefined;
  handle(frame: ServerFrame): void;
  connected(): void;
  /** The socket is gone, and with it whatever was under way. */
  disconnected(): void;
  /** A fix was added to the queue. */
  added(): void;
}

const answerLateMs = 5000;
const answerLateCapMs = 30_000;
const durableLateMs = 30_000;
const durableLateCapMs = 300_000;

// "This frame will never be readable." Its fixes are closed; kept, they would block the queue for ever.
const unreadable: ReadonlySet<string> = new Set(['frame_invalid', 'frame_malformed', 'payload_too_large']);

/**
 * Brings the queue's fixes to the server, run by run, oldest run first.
 *
 * Each run, on each socket: unknown ──`hello`──▶ asked ──`welcome`──▶ open. `loc` frames go out while it is open. What has no
 * answer after 5 s is sent again, one frame at a time, then after 10, 20, 30 s, until a `recv` comes. What was received, but is
 * not durable 30 s after everything was sent, begins again with `hello`: then after 1, 2, 4, 5 minutes.
 */
export function createFixSender(input: {
  queue: FixQueue;
  runtime: Runtime;
  nextId: () => number;
  wake: () => void;
  /** Of the socket that is open. */
  encoding: () => Encoding;
  events: FixSenderEvents;
}): FixSender {
  const { queue, nextId, wake, encoding, events } = input;
  const timer = createLateTimer({ runtime: input.runtime, onLate });
  const underWay = new FramesUnderWay();
  let mode: 'disconnected' | 'sending' | 'resting' | 'refused' = 'disconnected';
  let open = new WeakSet<RunOfFixes>();
  let asked: { id: number; source: RunOfFixes } | undefined;
  let durability = {};
  let lateAnswers = 0;
  let lateDurables = 0;

  return {
    next() {
      if (mode !== 'sending') return undefined;
      const frame = nextHello() ?? nextLoc();
      watch();
      return frame;
    },
    handle(frame) {
      if (mode === 'disconnected') return;
      apply(frame);
      watch();
      wake();
    },
    connected() {
      mode = 'sending';
      lateAnswers = 0;
      beginAgain();
      wake();
    },
    disconnected() {
      mode = 'disconnected';
      timer.rest();
    },
    added() {
      durability = {};
      wake();
    },
  };

  function nextHello(): string | undefined {
    // One at a time: of two runs that are allotted, the later has to be the higher.
    if (asked) return undefined;
    const source = queue.runs.find((candidate) => !open.has(candidate));
    if (!source) return undefined;
    asked = { id: nextId(), source };
    const { run, lowestKept: from } = source;
    return JSON.stringify({ type: 'hello', id: asked.id, ...(run !== undefined && { run, from }) });
  }

  function nextLoc(): OutgoingFrame | undefined {
    if (underWay.isFull(lateAnswers > 0)) return undefined;
    for (const source of queue.runs) {
      if (source.run === undefined || !open.has(source) || source.firstWaiting === source.kept.length) continue;
      const id = nextId();
      const packLocFrame = encoding() === 'binary' ? packBinaryLocFrame : packJsonLocFrame;
      const packed = packLocFrame({ id, run: source.run, source });
      if (!packed) continue;
      source.markSentThrough(packed.lastSeq);
      underWay.add({ id, source, firstSeq: packed.firstSeq, lastSeq: packed.lastSeq });
      return packed.frame;
    }
    return undefined;
  }

  function apply(frame: ServerFrame): void {
    if (frame.type === 'welcome') welcome(frame);
    else if (frame.type === 'recv') receive(frame);
    else if (frame.type === 'durable') raiseDurable(frame);
    else if (frame.type === 'resend') sendAgain(frame);
    else if (frame.type === 'superseded') supersede(frame);
    else if (frame.type === 'status') follow(frame.live);
    else if (frame.type === 'error') fail(frame);
  }

  function welcome({ id, run, durableSeq }: WelcomeFrame): void {
    if (!asked || asked.id !== id) return;
    const { source } = asked;
    asked = undefined;
    lateAnswers = 0;
    open.add(source);
    source.run ??= run;
    if (source.run === run) {
      forgetThrough(source, durableSeq);
    } else {
      // Another run than we asked for: it takes the new fixes, ours drains.
      queue.beginRun(run);
      open.add(queue.current);
    }
    events.onProgress();
  }

  function receive({ id, run, drops = [] }: RecvFrame): void {
    if (underWay.take(id)) lateAnswers = 0;
    const source = queue.find(run);
    for (const { seq, reason } of drops) {
      if (source && queue.forget(source, seq)) events.onDrop({ run, seq, reason });
    }
    if (drops.length > 0) events.onProgress();
  }

  function raiseDurable({ run, seq }: DurableFrame): void {
    const source = queue.find(run);
    if (source && forgetThrough(source, seq) > 0) events.onProgress();
  }

  function sendAgain({ run, from }: ResendFrame): void {
    const source = queue.find(run);
    if (!source) return;
    source.rewindTo(from);
    // All below is durable, and we did not hear of it. Without knowing we would say a `from` that closes nothing: ask first.
    if (source.lowestKept < from) open.delete(source);
  }

  function forgetThrough(source: RunOfFixes, seq: number): number {
    underWay.takeThrough(source, seq);
    const count = queue.forgetThrough(source, seq);
    if (count > 0) {
      durability = {};
      lateDurables = 0;
    }
    return count;
  }

  function supersede({ run, offeredRun }: SupersededFrame): void {
    if (offeredRun === undefined || run !== queue.current.run || queue.find(offeredRun)) return;
    queue.beginRun(offeredRun);
    events.onProgress();
  }

  function follow(isLive: boolean): void {
    if (mode === 'refused') return;
    mode = isLive ? 'sending' : 'resting';
    if (!isLive) return;
    lateAnswers = 0;
    sendUnansweredAgain();
  }

  function fail(frame: ErrorFrame): void {
    const source = asked?.id === frame.id ? asked?.source : underWay.find(frame.id)?.source;
    // What may succeed later is sent again when the answer is late.
    if (!source || frame.retryable) return;
    if (frame.code === 'run_unknown' && source.run !== undefined) abandon(source);
    else if (unreadable.has(frame.code) && underWay.find(frame.id)) discard(frame);
    else refuse(frame);
  }

  function abandon(source: RunOfFixes): void {
    if (asked?.source === source) asked = undefined;
    underWay.takeAll(source);
    queue.abandon(source);
    events.onProgress();
  }

  function discard(frame: ErrorFrame): void {
    const taken = underWay.take(frame.id);
    if (!taken) return;
    const { source, firstSeq, lastSeq } = taken;
    for (let seq = firstSeq; seq <= lastSeq; seq += 1) {
      if (queue.forget(source, seq)) events.onDrop({ run: source.run ?? 0, seq, reason: 'refused' });
    }
    events.onRefused(frame);
    events.onProgress();
  }

  function refuse(frame: ErrorFrame): void {
    mode = 'refused';
    events.onRefused(frame);
  }

  /** As on a new socket: every run says `hello` and sends all that it keeps. */
  function beginAgain(): void {
    open = new WeakSet();
    asked = undefined;
    underWay.clear();
    for (const source of queue.runs) source.rewindTo(source.lowestKept);
  }

  function sendUnansweredAgain(): void {
    asked = undefined;
    for (const { source, firstSeq } of underWay.clear()) source.rewindTo(firstSeq);
  }

  /** Set the timer to what we wait for now. */
  function watch(): void {
    const unanswered = mode === 'resting' ? mode : (asked ?? underWay.oldest);
    if (mode === 'disconnected' || mode === 'refused') timer.rest();
    else if (unanswered) timer.waitFor(unanswered, Math.min(answerLateCapMs, answerLateMs * 2 ** lateAnswers));
    else if (queue.keptCount > 0) {
      timer.waitFor(durability, Math.min(durableLateCapMs, durableLateMs * 2 ** lateDurables));
    } else timer.rest();
  }

  function onLate(): void {
    if (mode === 'resting' || asked || underWay.oldest) {
      mode = 'sending';
      lateAnswers += 1;
      sendUnansweredAgain();
    } else {
      lateDurables += 1;
      beginAgain();
    }
    watch();
    wake();
  }
}
