/**
 * What the SDK asks of its surroundings. Everything here exists in browsers, React Native and Node ≥ 20; it is declared by
 * structure, so that neither the DOM's nor Node's types are needed, and each part can be replaced in a test.
 */
export interface Runtime {
  /** Epoch milliseconds by this device's clock. */
  now(): number;
  /** Evenly distributed, 0 ≤ random < 1. */
  random(): number;
  /** Run once after `delayMs`; the answer cancels it. */
  setTimer(run: () => void, delayMs: number): CancelTimer;
}

export type CancelTimer = () => void;

interface HostTimers {
  setTimeout(run: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

// Longer delays wrap around in every engine and fire at once.
const maxDelayMs = 2_147_483_647;

/** The surroundings as they are, with the given parts replaced. */
export function toRuntime(replaced: Partial<Runtime>): Runtime {
  const host = globalThis as unknown as HostTimers;
  return {
    now: replaced.now ?? Date.now,
    random: replaced.random ?? Math.random,
    setTimer:
      replaced.setTimer ??
      ((run, delayMs) => {
        const handle = host.setTimeout(run, Math.min(Math.max(0, delayMs), maxDelayMs));
        return () => host.clearTimeout(handle);
      }),
  };
}
