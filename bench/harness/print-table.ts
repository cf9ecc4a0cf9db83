import type { Measurement } from './measurement.ts';

const columns = ['scenario', 'metric', 'ours', 'min – max', 'baseline', 'ratio', 'budget', 'met'] as const;
const alignedRight = new Set<string>(['ours', 'ratio']);

/** One table, as text; numbers as people read them. */
export function formatTable(measurements: readonly Measurement[]): string {
  const rows = measurements.map(toCells);
  const widths = columns.map((name, index) =>
    Math.max(name.length, ...rows.map((row) => (row[index] as string).length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => {
        const width = widths[index] as number;
        return alignedRight.has(columns[index] as string) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

function toCells(measurement: Measurement): string[] {
  const { scenario, metric, unit, ours, samples, baseline, baselineName, ratio, budget, met } = measurement;
  return [
    scenario,
    `${metric} (${unit})`,
    formatNumber(ours),
    `${formatNumber(samples.min)} – ${formatNumber(samples.max)}`,
    baseline === null ? '' : `${formatNumber(baseline)} ${baselineName ?? ''}`,
    ratio === null ? '' : `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1)} ×`,
    budget ?? '',
    met === null ? '' : yesOrNo(met),
  ];
}

/** Three digits that count. */
export function formatNumber(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: decimalsOf(Math.abs(value)) });
}

function decimalsOf(size: number): number {
  if (size >= 100) return 0;
  return size >= 10 ? 1 : 2;
}

const yesOrNo = (met: boolean): string => (met ? 'yes' : 'NO');
