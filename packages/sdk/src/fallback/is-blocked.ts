/** What is known of the tries to open a socket since one last stood. Times in milliseconds. */
export interface SocketTries {
  /** Tries that failed in a row; sockets that were lost soon after they opened count too. */
  failed: number;
  /** Since the first of them began. */
  sinceMs: number;
  /** How long the last one took to fail. */
  lastTookMs: number;
}

/** A node that is started again is back by then, and its clients need not move over and back. */
const blockedAfterMs = 8_000;
const blockedAfterTries = 3;
/** A try that hangs as long says as much as several that were refused. */
const hungMs = 5_000;

/** Are websockets blocked, as far as one can tell from here? Pure. That the api answers is found out after this. */
export function isBlocked({ failed, sinceMs, lastTookMs }: SocketTries): boolean {
  if (failed === 0 || sinceMs < blockedAfterMs) return false;
  return failed >= blockedAfterTries || lastTookMs >= hungMs;
}

const firstReturnMs = 30_000;
const maxReturnMs = 300_000;

/**
 * When to try a websocket again: 30 s, 1, 2, 4, 5 minutes after one another, each shortened by up to a half by chance.
 *
 * @param failed returns that failed so far, from 0
 */
export function returnDelayMs({ failed, random }: { failed: number; random: () => number }): number {
  return Math.floor(Math.min(maxReturnMs, firstReturnMs * 2 ** failed) * (0.5 + random() / 2));
}
