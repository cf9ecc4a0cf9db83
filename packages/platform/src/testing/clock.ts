/** A clock that moves only when a test says so. Hand `now` to whatever takes `now?: () => number`. */
export interface FakeClock {
  readonly now: () => number;
  advance(ms: number): void;
  /** Steps to a moment, backwards too: phones and servers do that. */
  set(epochMs: number): void;
}

/** Starts on 2026-03-01T08:00:00Z, so that a failing test prints the same times every day. */
export function createFakeClock(startMs = Date.UTC(2026, 2, 1, 8)): FakeClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
    set: (epochMs) => {
      nowMs = epochMs;
    },
  };
}
