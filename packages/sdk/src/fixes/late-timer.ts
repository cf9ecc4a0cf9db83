import type { CancelTimer, Runtime } from '../connection/runtime.ts';

/** Calls when what we wait for does not come. */
export interface LateTimer {
  /** Wait for `subject`, at most `delayMs`. A call with the same subject lets the running time go on. */
  waitFor(subject: unknown, delayMs: number): void;
  /** There is nothing to wait for. */
  rest(): void;
}

export function createLateTimer(input: { runtime: Runtime; onLate: () => void }): LateTimer {
  let waitsFor: unknown;
  let cancel: CancelTimer | undefined;

  return {
    waitFor(subject, delayMs) {
      if (subject === waitsFor) return;
      cancel?.();
      waitsFor = subject;
      cancel = input.runtime.setTimer(() => {
        waitsFor = undefined;
        input.onLate();
      }, delayMs);
    },
    rest() {
      cancel?.();
      waitsFor = undefined;
    },
  };
}
