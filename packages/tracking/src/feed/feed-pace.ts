/** How often the pace is set anew. */
export const feedPaceMs = 250;
/** Messages of other nodes that a node takes in its stride, a second. */
const calmPerSecond = 500;
/** A millisecond of pause for so many more of them, a second. */
const perSecondAndMs = 80;

export interface FeedPace {
  /** A message of the position feed came, whoever wrote it. */
  heard(): void;
  /** This node wrote a partition, and will hear of it. */
  wrote(): void;
  /** Called every `feedPaceMs`. */
  turn(): void;
  /** How long fixes gather after a flush before the next one, ms; 0 while little comes from other nodes. */
  readonly pauseMs: number;
}

/**
 * Says how long a node lets fixes gather. Every node hears every message of the feed, so with N nodes each of which writes what it has
 * at once, the messages heard in all grow with N²: then a few milliseconds of waiting, the same for all, save more than they cost. The
 * more the others write, the longer; a node by itself never waits.
 *
 * It settles: longer pauses make fewer messages, and each turn goes half the way. Source: docs/decisions/0013-flushes-keep-pace.md
 *
 * @param maxPauseMs `BATCH_MAX_DELAY_MS`
 * @param now monotonic, ms
 */
export function createFeedPace({
  maxPauseMs,
  now = () => performance.now(),
}: {
  maxPauseMs: number;
  now?: () => number;
}): FeedPace {
  let heardCount = 0;
  let wroteCount = 0;
  let sinceMs = now();
  let pauseMs = 0;

  return {
    heard() {
      heardCount += 1;
    },
    wrote() {
      wroteCount += 1;
    },
    turn() {
      const nowMs = now();
      const seconds = (nowMs - sinceMs) / 1000;
      if (seconds <= 0) return;
      const ofOthersPerSecond = (heardCount - wroteCount) / seconds;
      const wantedMs = Math.min(maxPauseMs, Math.max(0, ofOthersPerSecond - calmPerSecond) / perSecondAndMs);
      pauseMs = (pauseMs + wantedMs) / 2;
      // Half of nothing is never nothing.
      if (pauseMs < 1 && wantedMs === 0) pauseMs = 0;
      heardCount = 0;
      wroteCount = 0;
      sinceMs = nowMs;
    },
    get pauseMs() {
      return pauseMs;
    },
  };
}
