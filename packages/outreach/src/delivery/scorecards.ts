import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { type Channel, channelOf, type ProviderName } from '@hushryd/providers/provider';
import { type Attempt, isProviderFault } from './attempt.ts';

/** How a provider did lately. */
export interface Scorecard {
  readonly provider: ProviderName;
  readonly channel: Channel;
  readonly attempts: number;
  readonly accepted: number;
  /** Failed through no fault of the recipient. */
  readonly faults: number;
  /** Of the attempts that say something about the provider, 0 to 1; null where there were none. */
  readonly successShare: number | null;
  /** Within a sixth of the truth; null where there were none. */
  readonly p95LatencyMs: number | null;
}

export interface Scorecards {
  record(attempt: Pick<Attempt, 'provider' | 'outcome' | 'reason' | 'errorClass' | 'latencyMs'>): void;
  list(): Scorecard[];
  /** For others to add to theirs: counts of the window, none older. */
  export(): ScoreCounts[];
}

/** What can be added up over processes. `latencies` counts per bound of `latencyBoundsMs`, the last for all above. */
export interface ScoreCounts {
  readonly provider: ProviderName;
  readonly attempts: number;
  readonly accepted: number;
  readonly faults: number;
  readonly latencies: readonly number[];
}

const windowMs = 300_000;

/** Each a sixth above the one before, from 1 ms to 30 s. */
export const latencyBoundsMs: readonly number[] = Array.from(
  { length: 69 },
  (_, index) => Math.round(1.163 ** index * 10) / 10,
);

interface Tally {
  attempts: number;
  accepted: number;
  faults: number;
  latencies: number[];
}

const newTally = (): Tally => ({
  attempts: 0,
  accepted: 0,
  faults: 0,
  latencies: Array(latencyBoundsMs.length + 1).fill(0),
});

/**
 * Counts what providers do, for metrics and for people. A window of five minutes that ends now, and the part of it that is going on: five
 * to ten minutes of attempts. Memory: two tallies of 70 numbers a provider.
 */
export function createScorecards({
  telemetry,
  now = Date.now,
}: {
  telemetry: Telemetry;
  now?: () => number;
}): Scorecards {
  const attemptsTotal = telemetry.counter({
    name: 'delivery_attempts_total',
    help: 'Calls of a provider by what came of them',
    labelNames: ['channel', 'provider', 'outcome'],
  });
  // An alarm compares it with receipts: a series that begins at 1 has never risen.
  for (const [provider, channel] of Object.entries(channelOf)) {
    attemptsTotal.inc({ channel, provider, outcome: 'accepted' }, 0);
  }
  const seconds = telemetry.histogram({
    name: 'delivery_attempt_seconds',
    help: 'How long a provider took to answer',
    labelNames: ['channel', 'provider'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5],
  });
  const share = telemetry.gauge({
    name: 'provider_success_ratio',
    help: 'Share of the last minutes’ attempts that the provider took',
    labelNames: ['channel', 'provider'],
    collect: () => showGauges(),
  });
  const p95 = telemetry.gauge({
    name: 'provider_latency_p95_seconds',
    help: 'The 95th percentile of the last minutes’ answers',
    labelNames: ['channel', 'provider'],
  });

  let startedAtMs = now();
  let current = new Map<ProviderName, Tally>();
  let previous = new Map<ProviderName, Tally>();

  function turn(): void {
    const passedMs = now() - startedAtMs;
    if (passedMs >= 0 && passedMs < windowMs) return;
    previous = passedMs >= 0 && passedMs < 2 * windowMs ? current : new Map();
    current = new Map();
    startedAtMs = now();
  }

  function exportCounts(): ScoreCounts[] {
    turn();
    return addScores([...toCounts(previous), ...toCounts(current)]);
  }

  function showGauges(): void {
    for (const { channel, provider, successShare, p95LatencyMs } of exportCounts().map(toScorecard)) {
      if (successShare !== null) share.set({ channel, provider }, successShare);
      if (p95LatencyMs !== null) p95.set({ channel, provider }, p95LatencyMs / 1000);
    }
  }

  return {
    record(attempt) {
      turn();
      const { provider, latencyMs } = attempt;
      const channel = channelOf[provider];
      const tally = current.get(provider) ?? newTally();
      current.set(provider, tally);
      tally.attempts += 1;
      if (attempt.outcome === 'accepted') tally.accepted += 1;
      if (isProviderFault(attempt)) tally.faults += 1;
      const found = latencyBoundsMs.findIndex((boundMs) => latencyMs <= boundMs);
      const bucket = found === -1 ? latencyBoundsMs.length : found;
      tally.latencies[bucket] = (tally.latencies[bucket] ?? 0) + 1;
      attemptsTotal.inc({ channel, provider, outcome: attempt.errorClass ?? 'accepted' });
      seconds.observe({ channel, provider }, latencyMs / 1000);
    },
    list: () => exportCounts().map(toScorecard),
    export: exportCounts,
  };
}

/** The same provider of several processes as one. */
export function addScores(counts: readonly ScoreCounts[]): ScoreCounts[] {
  const sums = new Map<ProviderName, Tally>();
  for (const { provider, attempts, accepted, faults, latencies } of counts) {
    const sum = sums.get(provider) ?? newTally();
    sums.set(provider, sum);
    sum.attempts += attempts;
    sum.accepted += accepted;
    sum.faults += faults;
    sum.latencies = sum.latencies.map((count, bucket) => count + (latencies[bucket] ?? 0));
  }
  return toCounts(sums);
}

export function toScorecard({ provider, attempts, accepted, faults, latencies }: ScoreCounts): Scorecard {
  const telling = accepted + faults;
  return {
    provider,
    channel: channelOf[provider],
    attempts,
    accepted,
    faults,
    successShare: telling === 0 ? null : accepted / telling,
    p95LatencyMs: percentile(latencies, 0.95),
  };
}

function percentile(latencies: readonly number[], share: number): number | null {
  const total = latencies.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  const bucket = latencies.findIndex((count) => {
    seen += count;
    return seen >= total * share;
  });
  return latencyBoundsMs[bucket] ?? latencyBoundsMs.at(-1) ?? null;
}

function toCounts(tallies: ReadonlyMap<ProviderName, Tally>): ScoreCounts[] {
  return [...tallies].map(([provider, tally]) => ({ provider, ...tally }));
}
