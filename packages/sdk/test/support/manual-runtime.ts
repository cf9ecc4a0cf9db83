import { setImmediate } from 'node:timers/promises';
import type { Runtime } from '../../src/connection/runtime.ts';

export interface ManualRuntime extends Runtime {
  /** Let time pass: timers run in order, and what they set off is finished before the next one. */
  advance(ms: number): Promise<void>;
  /** Let everything finish that needs no time. */
  settle(): Promise<void>;
  readonly pendingTimers: number;
}

interface Timer {
  atMs: number;
  order: number;
  run: () => void;
}

/** A clock and timers that move only when told to. `random` answers 0.5 unless replaced. */
export function createManualRuntime(input: { startMs?: number; random?: () => number } = {}): ManualRuntime {
  let nowMs = input.startMs ?? 1_700_000_000_000;
  let order = 0;
  const timers = new Set<Timer>();

  return {
    now: () => nowMs,
    random: input.random ?? (() => 0.5),
    setTimer(run, delayMs) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), order: order++, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    settle,
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let timer = nextTimer(untilMs); timer; timer = nextTimer(untilMs)) {
        timers.delete(timer);
        nowMs = timer.atMs;
        timer.run();
        await settle();
      }
      nowMs = untilMs;
    },
    get pendingTimers() {
      return timers.size;
    },
  };

  function nextTimer(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.atMs > untilMs) continue;
      const isEarlier = !first || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order);
      if (isEarlier) first = timer;
    }
    return first;
  }

  async function settle(): Promise<void> {
    // All microtasks run before the next macrotask, however long their chains are.
    await setImmediate();
  }
}
