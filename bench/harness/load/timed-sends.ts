import { createLatencyHistogram, type LatencyCounts } from '../latency-histogram.ts';
import { monotonicMs } from './monotonic.ts';

/** One request of the generator's. @param nth from 0 */
export type SendOne = (nth: number) => Promise<unknown>;

export interface TimedSends extends LatencyCounts {
  /** Longest time that a due request waited for the sender; part of the latencies. */
  readonly latestMs: number;
}

/**
 * Each request when it is due, whatever became of those before it. Latencies run from when it was due until it has ended.
 *
 * @param input.uncounted the first so many only warm up
 * @returns once all have ended
 * @throws what the first of them threw
 */
export async function sendOnSchedule(
  { count, perSecond, uncounted = 0 }: { count: number; perSecond: number; uncounted?: number },
  send: SendOne,
): Promise<TimedSends> {
  const latencies = createLatencyHistogram();
  const startMs = monotonicMs();
  const underWay: Promise<void>[] = [];
  const failures: unknown[] = [];
  let latestMs = 0;

  const sendDue = async (nth: number, dueMs: number) => {
    if (nth >= uncounted) latestMs = Math.max(latestMs, monotonicMs() - dueMs);
    await send(nth).catch((error: unknown) => failures.push(error));
    if (nth >= uncounted) latencies.record(monotonicMs() - dueMs);
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      while (underWay.length < count) {
        const dueMs = startMs + (underWay.length * 1000) / perSecond;
        if (dueMs > monotonicMs()) return;
        underWay.push(sendDue(underWay.length, dueMs));
      }
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await Promise.all(underWay);
  if (failures.length > 0) throw failures[0];
  return { ...latencies.toCounts(), latestMs };
}

/**
 * As many as are answered: so many are always under way.
 *
 * @param input.atMost there are no more than these
 * @returns how many a second ended within the time
 */
export async function sendSaturated(
  { inFlight, seconds, atMost }: { inFlight: number; seconds: number; atMost: number },
  send: SendOne,
): Promise<number> {
  const startMs = monotonicMs();
  const endMs = startMs + seconds * 1000;
  let sent = 0;
  let ended = 0;
  let lastEndMs = startMs;
  const lane = async () => {
    while (sent < atMost && monotonicMs() < endMs) {
      await send(sent++);
      ended += 1;
      lastEndMs = monotonicMs();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (ended * 1000) / (lastEndMs - startMs);
}
