import { type Limit, type Measurement, measure } from './measurement.ts';
import { formatNumber } from './print-table.ts';
import { createCpuMeter } from './processes/process-usage.ts';

/** What a process got done, and with how much of a core. */
export interface Throughput {
  readonly perSecond: number;
  readonly corePercent: number;
}

/** @param work how much a second it was, once it has ended */
export async function meterThroughput(pid: number, work: () => Promise<number>): Promise<Throughput> {
  const cpu = createCpuMeter(pid);
  const perSecond = await work();
  return { perSecond, corePercent: cpu.percent() };
}

/**
 * Two lines of the table: what was reached by the clock, and what that is for each second of the process's own processor time. Both
 * sides share two cores with their generator, so the second line says what the first would be with a core to itself.
 */
export function measureThroughput(input: {
  scenario: string;
  metric: string;
  ours: readonly Throughput[];
  baseline: { name: string; samples: readonly Throughput[] };
  limits: readonly Limit[];
}): Measurement[] {
  const { scenario, metric, ours, baseline, limits } = input;
  const row = (name: string, read: (sample: Throughput) => number, rowLimits: readonly Limit[]) =>
    measure({
      scenario,
      metric: name,
      unit: '1/s',
      ours: ours.map(read),
      baseline: { name: baseline.name, samples: baseline.samples.map(read) },
      limits: rowLimits,
    });
  return [
    row(metric, ({ perSecond }) => perSecond, limits),
    row('… a second of its core', ({ perSecond, corePercent }) => (perSecond * 100) / corePercent, []),
  ];
}

export const describeThroughput = ({ perSecond, corePercent }: Throughput): string =>
  `${formatNumber(perSecond)}/s with ${formatNumber(corePercent)} % of a core`;
