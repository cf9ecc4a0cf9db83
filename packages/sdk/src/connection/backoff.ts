export const backoffBaseMs = 250;
export const backoffCapMs = 10_000;

/**
 * How long to wait before the next try: anything from 0 to `base · 2^attempt`, at most `cap` ("full jitter"), so that thousands of
 * clients that lost one node spread evenly over the window instead of returning together.
 *
 * @param attempt tries that failed so far, from 0
 */
export function backoffDelayMs(input: {
  attempt: number;
  random: () => number;
  baseMs?: number;
  capMs?: number;
}): number {
  const { attempt, random, baseMs = backoffBaseMs, capMs = backoffCapMs } = input;
  return Math.floor(random() * Math.min(capMs, baseMs * 2 ** attempt));
}
