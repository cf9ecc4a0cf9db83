import type { Sample } from './follow-cluster.ts';

/** So long without an answer is a hole in the line, not a straight one between what was known. */
const gapMs = 10_000;

/** Seconds and connections, as uPlot wants them. Pure. */
export function toChart(history: readonly Sample[]): [seconds: number[], connections: (number | null)[]] {
  const seconds: number[] = [];
  const counts: (number | null)[] = [];
  let lastMs = Number.POSITIVE_INFINITY;
  for (const { atMs, connections } of history) {
    if (atMs - lastMs > gapMs) {
      seconds.push(atMs / 1000 - 0.001);
      counts.push(null);
    }
    seconds.push(atMs / 1000);
    counts.push(connections);
    lastMs = atMs;
  }
  return [seconds, counts];
}
