import { createLatencyHistogram, type LatencyHistogram } from '../latency-histogram.ts';
import type { FixSchedule } from '../load/fix-schedule.ts';
import { monotonicMs } from '../load/monotonic.ts';
import type { LoadProcess } from '../load/start-load.ts';
import { sleepMs } from '../sleep.ts';

export interface RelaySample {
  readonly latencies: LatencyHistogram;
  readonly fixes: number;
  /** Frames that were due to riders and never came. */
  readonly missingFrames: number;
  readonly silentRiders: number;
  readonly silentPhones: number;
  /** Fixes without a `recv`. */
  readonly unansweredFixes: number;
  /** Since the sockets were opened: answers that named a drop, error frames, and sockets that ended. */
  readonly faults: number;
  readonly lastFault: string | undefined;
  /** How late the generators themselves were, at most; part of the latencies. */
  readonly senderLatestMs: number;
}

const startInMs = 1_000;
const lastFrameWithinMs = 3_000;

/**
 * Phones of several processes send by one schedule, and riders of several processes say what they heard of it. A latency runs from when a
 * fix was due to when its frame was read, whatever the sender was late.
 *
 * @param input.onWindow called when the counted part begins; what it gives back is called when that ends
 */
export async function relayFixes(input: {
  generators: readonly LoadProcess[];
  trips: number;
  fixesPerSecond: number;
  warmUpSeconds: number;
  windowSeconds: number;
  onWindow?: () => () => void;
}): Promise<RelaySample> {
  const { generators, trips, fixesPerSecond, warmUpSeconds, windowSeconds } = input;
  const fromFix = Math.round(warmUpSeconds * fixesPerSecond);
  const toFix = fromFix + Math.round(windowSeconds * fixesPerSecond);
  const seqs = await Promise.all(generators.map((generator) => generator.call('nextSeq')));
  const schedule: FixSchedule = {
    startAtMs: monotonicMs() + startInMs,
    fixesPerSecond,
    drivers: trips,
    fromFix,
    toFix,
    seq: Math.max(...seqs),
  };
  await Promise.all(generators.map((generator) => generator.call('watchLatencies', schedule)));
  await Promise.all(generators.map((generator) => generator.call('startSchedule', schedule)));

  await sleepMs(schedule.startAtMs + warmUpSeconds * 1000 - monotonicMs());
  const endWindow = input.onWindow?.();
  await sleepMs(windowSeconds * 1000);
  endWindow?.();
  await sleepMs(lastFrameWithinMs);

  const sent = await Promise.all(generators.map((generator) => generator.call('driverCounts')));
  const heard = await Promise.all(generators.map((generator) => generator.call('heardLatencies')));
  const lost = await Promise.all(generators.map((generator) => generator.call('listenerCounts')));
  const latencies = createLatencyHistogram();
  for (const counts of heard) latencies.add(counts);
  const sumOf = <Counts>(list: readonly Counts[], read: (counts: Counts) => number) =>
    list.reduce((sum, counts) => sum + read(counts), 0);
  return {
    latencies,
    fixes: toFix - fromFix,
    missingFrames: sumOf(heard, ({ missing }) => missing),
    silentRiders: sumOf(heard, ({ silent }) => silent),
    silentPhones: sumOf(sent, ({ silentPhones }) => silentPhones),
    unansweredFixes: sumOf(sent, ({ unansweredFrames }) => unansweredFrames),
    faults:
      sumOf(sent, ({ framesWithDrops, errors, endedSockets }) => framesWithDrops + errors + endedSockets) +
      sumOf(lost, ({ endedSockets }) => endedSockets),
    lastFault:
      sent.find(({ lastError }) => lastError !== undefined)?.lastError ??
      lost.find(({ lastEnd }) => lastEnd !== undefined)?.lastEnd,
    senderLatestMs: Math.max(...sent.map(({ latestMs }) => latestMs)),
  };
}
