import { type Spread, spreadOf } from './statistics.ts';

/** What a figure has to reach: itself, or as a multiple of its baseline. */
export type Limit =
  | { readonly atLeast: number }
  | { readonly atMost: number }
  | { readonly ratioAtLeast: number }
  | { readonly ratioAtMost: number };

/** One line of the table. Without limits it explains another line. */
export interface Measurement {
  readonly scenario: string;
  readonly metric: string;
  readonly unit: string;
  /** Median of the rounds. */
  readonly ours: number;
  readonly baseline: number | null;
  readonly baselineName: string | null;
  /** Median of the rounds' own ratios: what the machine did in one round, both sides felt. */
  readonly ratio: number | null;
  readonly budget: string | null;
  readonly met: boolean | null;
  /** Of ours. */
  readonly samples: Spread;
}

/** @param baseline its samples stand in the order of ours, round by round */
export function measure(input: {
  scenario: string;
  metric: string;
  unit: string;
  ours: readonly number[];
  baseline?: { name: string; samples: readonly number[] };
  limits?: readonly Limit[];
}): Measurement {
  const { ours, baseline, limits = [] } = input;
  const samples = spreadOf(ours);
  const ratio = baseline === undefined ? null : spreadOf(pairedRatios(ours, baseline.samples)).median;
  return {
    scenario: input.scenario,
    metric: input.metric,
    unit: input.unit,
    ours: samples.median,
    baseline: baseline === undefined ? null : spreadOf(baseline.samples).median,
    baselineName: baseline?.name ?? null,
    ratio,
    budget: limits.length === 0 ? null : limits.map(describeLimit).join(' and '),
    met: limits.length === 0 ? null : limits.every((limit) => isMet(limit, samples.median, ratio)),
    samples,
  };
}

function pairedRatios(ours: readonly number[], baseline: readonly number[]): number[] {
  if (ours.length !== baseline.length) throw new RangeError('every round measures both sides');
  return ours.map((value, round) => value / (baseline[round] as number));
}

function describeLimit(limit: Limit): string {
  if ('atLeast' in limit) return `≥ ${limit.atLeast.toLocaleString('en')}`;
  if ('atMost' in limit) return `≤ ${limit.atMost.toLocaleString('en')}`;
  return 'ratioAtLeast' in limit ? `≥ ${limit.ratioAtLeast} ×` : `≤ ${limit.ratioAtMost} ×`;
}

function isMet(limit: Limit, value: number, ratio: number | null): boolean {
  if ('atLeast' in limit) return value >= limit.atLeast;
  if ('atMost' in limit) return value <= limit.atMost;
  if (ratio === null) return false;
  return 'ratioAtLeast' in limit ? ratio >= limit.ratioAtLeast : ratio <= limit.ratioAtMost;
}
