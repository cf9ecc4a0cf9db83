import { setTimeout as sleep } from 'node:timers/promises';
import { endAfter } from '../http/end-after.ts';
import type { Fault } from './fault-plan.ts';
import type { MessageStore, PlayedMessage } from './message-store.ts';
import type { Answered, Order, OutgoingRequest, PlayedEvent, VendorPlay } from './vendors/vendor-play.ts';

export interface ReceiptSender {
  /** Tell of these events, one after another, as the fault of the message wants it. Returns at once. */
  tell(input: {
    play: VendorPlay;
    message: PlayedMessage;
    order: Order;
    fault: Fault | undefined;
    events: PlayedEvent[];
  }): void;
  /** One request, its answer awaited. @returns undefined where none came */
  ask(request: OutgoingRequest): Promise<Answered | undefined>;
  readonly counts: ReceiptCounts;
  /** Ends what is under way, and counts from zero. */
  clear(): void;
  close(): Promise<void>;
}

export interface ReceiptCounts {
  sent: number;
  /** Repeated after an answer that was no 2xx, or none. */
  repeated: number;
  failed: number;
}

/** Vendors repeat what was not taken; ours is impatient, because people and tests wait. */
const pausesMs = [250, 1_000, 4_000];
const answerWithinMs = 10_000;

/**
 * Sends receipts as the vendors do: some time after the answer, in order within a message, repeated until they are taken.
 *
 * @param accountUrlOf where a vendor's settings say that its receipts go
 */
export function createReceiptSender({
  store,
  delayMs,
  accountUrlOf,
}: {
  store: MessageStore;
  delayMs: number;
  accountUrlOf: (play: VendorPlay) => string | undefined;
}): ReceiptSender {
  const counts: ReceiptCounts = { sent: 0, repeated: 0, failed: 0 };
  /** Work under way, and what ends it: one signal for all of it would have as many listeners as there are messages. */
  const underWay = new Map<Promise<unknown>, AbortController>();
  /** What is told of a message waits for what was told of it before. */
  const latest = new WeakMap<PlayedMessage, Promise<void>>();

  /** @param work never rejects */
  function begin<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const ending = new AbortController();
    const begun = work(ending.signal);
    underWay.set(begun, ending);
    void begun.then(() => underWay.delete(begun));
    return begun;
  }

  function endAll(): void {
    for (const ending of underWay.values()) ending.abort();
  }

  async function deliver(request: OutgoingRequest, signal: AbortSignal): Promise<number | undefined> {
    for (const pauseMs of [...pausesMs, undefined]) {
      const status = await post(request, signal).then(
        (posted) => posted.status,
        () => undefined,
      );
      if (status !== undefined && status < 300) {
        counts.sent += 1;
        return status;
      }
      if (pauseMs === undefined || signal.aborted) {
        counts.failed += 1;
        return status;
      }
      counts.repeated += 1;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  async function run(
    steps: { event: PlayedEvent; request: OutgoingRequest }[],
    message: PlayedMessage,
    signal: AbortSignal,
  ): Promise<void> {
    for (const { event, request } of steps) {
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      message.receipts.push({ status: event, httpStatus: await deliver(request, signal) });
      store.touch(message);
    }
  }

  return {
    counts,
    tell({ play, message, order, fault, events }) {
      const newest = events.at(-1);
      if (newest !== undefined && fault?.mode !== 'accepted-then-silent') message.status = newest;
      store.touch(message);
      if (fault?.mode === 'accepted-then-silent') return;
      const steps = events.flatMap((event) => {
        const input = { message, order, event, accountUrl: accountUrlOf(play), nowMs: Date.now() };
        const request = play.receipt?.(input);
        return request === undefined ? [] : [{ event, request }];
      });
      const before = latest.get(message) ?? Promise.resolve();
      const work = begin((signal) => before.then(() => run(inOrderOf(fault, steps), message, signal)));
      latest.set(message, work);
    },
    ask(request) {
      return begin((signal) => post(request, signal).catch(() => undefined));
    },
    clear() {
      endAll();
      Object.assign(counts, { sent: 0, repeated: 0, failed: 0 });
    },
    async close() {
      endAll();
      await Promise.allSettled(underWay.keys());
    },
  };
}

function inOrderOf<T>(fault: Fault | undefined, steps: T[]): T[] {
  switch (fault?.mode) {
    case 'duplicate':
      return steps.flatMap((step) => [step, step]);
    case 'reordered':
      return steps.toReversed();
    default:
      return steps;
  }
}

async function post({ method, url, headers, body }: OutgoingRequest, outer: AbortSignal): Promise<Answered> {
  const ending = endAfter(answerWithinMs, outer);
  try {
    const { signal } = ending;
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal,
      ...(body !== undefined && { body }),
    });
    return { status: response.status, text: await response.text() };
  } finally {
    ending.release();
  }
}
