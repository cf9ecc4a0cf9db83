export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Open for so long, then one call may try. */
  readonly resetMs: number;
}

export interface Breaker {
  readonly state: 'closed' | 'open' | 'half-open';
  /** When it may be worth asking again, epoch milliseconds; undefined where a call may be made now. */
  readonly retryAtMs: number | undefined;
  /**
   * Leave to make one call, which must be ended. Half open, one call at a time has it.
   *
   * @param options.isForced always given: an alert asks whoever is there. What comes of it counts like any other call.
   */
  enter(options?: { isForced?: boolean }): Permit | undefined;
}

export interface Permit {
  /** Once, later ones change nothing. `neither`: the call says nothing about the provider. */
  end(outcome: 'success' | 'failure' | 'neither'): void;
}

/** Whoever waits for the outcome of a probe looks again after this. */
const probeLookMs = 1_000;

/**
 * Keeps calls away from a provider that fails every time. A process has one of its own for each provider: what one node cannot reach,
 * another may.
 *
 * What a call says counts only for the state in which it began: a success that was on its way when the breaker opened does not close it.
 */
export function createBreaker({ failures, resetMs, now }: BreakerSettings & { now: () => number }): Breaker {
  let failedInARow = 0;
  let openUntilMs: number | undefined;
  let isProbing = false;
  /** Rises with each opening and closing. */
  let era = 0;

  function open(): void {
    openUntilMs = now() + resetMs;
    failedInARow = 0;
    isProbing = false;
    era += 1;
  }

  function close(): void {
    openUntilMs = undefined;
    failedInARow = 0;
    isProbing = false;
    era += 1;
  }

  function count(outcome: 'success' | 'failure' | 'neither', isProbe: boolean): void {
    if (isProbe) isProbing = false;
    if (outcome === 'neither') return;
    if (openUntilMs !== undefined) {
      if (outcome === 'success') close();
      else if (isProbe) open();
      return;
    }
    failedInARow = outcome === 'failure' ? failedInARow + 1 : 0;
    if (failedInARow >= failures) open();
  }

  return {
    get state() {
      if (openUntilMs === undefined) return 'closed';
      return now() >= openUntilMs ? 'half-open' : 'open';
    },
    get retryAtMs() {
      if (openUntilMs === undefined) return undefined;
      if (now() < openUntilMs) return openUntilMs;
      return isProbing ? now() + probeLookMs : undefined;
    },
    enter({ isForced = false } = {}) {
      const isHalfOpen = openUntilMs !== undefined && now() >= openUntilMs;
      const isProbe = isHalfOpen && !isProbing;
      if (openUntilMs !== undefined && !isProbe && !isForced) return undefined;
      if (isProbe) isProbing = true;
      const ofEra = era;
      let hasEnded = false;
      return {
        end(outcome) {
          if (hasEnded) return;
          hasEnded = true;
          if (ofEra === era) count(outcome, isProbe);
        },
      };
    },
  };
}
