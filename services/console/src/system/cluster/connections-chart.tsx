import 'uplot/dist/uPlot.min.css';
import { useEffect, useMemo, useRef } from 'react';
import UPlot from 'uplot';
import { useTheme } from '../../theme/theme-store.ts';
import { toChart } from './chart-series.ts';
import styles from './cluster.module.css';
import { historyMs, type Sample } from './follow-cluster.ts';
import { formatCount } from './format-figures.ts';

const heightPixels = 120;

/** Connections over the last ten minutes. The window is always ten minutes wide, so that the line moves and never stretches. */
export function ConnectionsChart({ history }: { history: readonly Sample[] }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const theme = useTheme();
  const data = useMemo(() => toChart(history), [history]);
  const newest = useRef(data);
  newest.current = data;

  // The theme's colours are read when the chart is made.
  useEffect(() => {
    const container = box.current;
    if (container === null) return undefined;
    const created = new UPlot(optionsFor(container), newest.current, container);
    plot.current = created;
    const resizing = new ResizeObserver(() => created.setSize({ width: container.clientWidth, height: heightPixels }));
    resizing.observe(container);
    return () => {
      resizing.disconnect();
      created.destroy();
      plot.current = undefined;
    };
  }, [theme]);

  useEffect(() => plot.current?.setData(data), [data]);

  return (
    <div
      className={styles.chart}
      style={{ height: heightPixels }}
      ref={box}
      role="img"
      aria-label={describe(history)}
    />
  );
}

function describe(history: readonly Sample[]): string {
  const counts = history.map(({ connections }) => connections);
  const [lowest, highest] = [Math.min(...counts), Math.max(...counts)].map(formatCount);
  return `Connections since this room was opened, at most ten minutes: between ${lowest} and ${highest}`;
}

function optionsFor(container: HTMLElement): UPlot.Options {
  const colour = (name: string) => getComputedStyle(container).getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--text-faint'),
    font: `11px ${colour('--font-text')}`,
    ticks: { show: false },
    grid: { stroke: colour('--line'), width: 1 },
  };
  return {
    width: container.clientWidth,
    height: heightPixels,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: (_plot, _min, max) => [max - historyMs / 1000, max] },
      y: { range: (_plot, _min, max) => [0, Math.max(4, Math.ceil(max * 1.25))] },
    },
    axes: [
      { ...axis, size: 24, space: 90, grid: { show: false }, values: '{HH}:{mm}' },
      { ...axis, size: 48, space: 20, incrs: wholeSteps, values: (_plot, ticks) => ticks.map(formatCount) },
    ],
    series: [
      {},
      {
        stroke: colour('--accent'),
        fill: colour('--accent-wash'),
        width: 1.5,
        points: { show: false },
        spanGaps: false,
      },
    ],
  };
}

/** There is no half connection. */
const wholeSteps = [1, 10, 100, 1_000, 10_000, 100_000].flatMap((step) => [step, 2 * step, 5 * step]);
