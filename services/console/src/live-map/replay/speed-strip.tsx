import 'uplot/dist/uPlot.min.css';
import { useEffect, useMemo, useRef } from 'react';
import UPlot from 'uplot';
import { useTheme } from '../../theme/theme-store.ts';
import type { TrackShape } from '../track/track-shape.ts';
import styles from './replay.module.css';

const heightPixels = 52;

/** Speed over time; a click goes there. The moment itself is a line above the canvas, so that playing redraws nothing. */
export function SpeedStrip({
  shape,
  atMs,
  onSeek,
}: {
  shape: TrackShape;
  atMs: number;
  onSeek: (atMs: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const theme = useTheme();
  const data = useMemo(() => toSeries(shape), [shape]);
  const newest = useRef(data);
  newest.current = data;

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

  const first = shape.points[0]?.atMs ?? 0;
  const share = shape.durationMs === 0 ? 0 : (atMs - first) / shape.durationMs;

  function seekTo(clientX: number): void {
    const bounds = box.current?.getBoundingClientRect();
    if (bounds) onSeek(first + ((clientX - bounds.left) / bounds.width) * shape.durationMs);
  }

  return (
    // The slider below does the same by keyboard.
    <div
      className={styles.strip}
      role="presentation"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        seekTo(event.clientX);
      }}
      onPointerMove={(event) => {
        if (event.buttons === 1) seekTo(event.clientX);
      }}
    >
      <div ref={box} className={styles.plot} />
      <span className={styles.stripTop} aria-hidden="true">
        fastest {Math.round(fastestKmh(data))} km/h
      </span>
      <span
        className={styles.moment}
        style={{ left: `${Math.max(0, Math.min(1, share)) * 100}%` }}
        aria-hidden="true"
      />
    </div>
  );
}

/** Seconds and km/h; a gap becomes a hole in the line. */
function toSeries({ points, gaps }: TrackShape): UPlot.AlignedData {
  const gapEnds = new Set(gaps.map(({ to }) => to));
  const seconds: number[] = [];
  const speeds: (number | null)[] = [];
  for (const [index, point] of points.entries()) {
    if (gapEnds.has(index)) {
      seconds.push(point.atMs / 1000 - 0.001);
      speeds.push(null);
    }
    seconds.push(point.atMs / 1000);
    speeds.push(point.speedMps === undefined ? null : point.speedMps * 3.6);
  }
  return [seconds, speeds];
}

function fastestKmh(data: UPlot.AlignedData): number {
  let fastest = 0;
  for (const speed of data[1] ?? []) fastest = Math.max(fastest, speed ?? 0);
  return fastest;
}

function optionsFor(container: HTMLElement): UPlot.Options {
  const colour = (name: string) => getComputedStyle(container).getPropertyValue(name).trim();
  return {
    width: container.clientWidth,
    height: heightPixels,
    padding: [2, 0, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, Math.max(20, max * 1.3)] } },
    axes: [{ show: false }, { show: false }],
    series: [
      {},
      {
        stroke: colour('--accent'),
        fill: colour('--accent-wash'),
        width: 1.25,
        points: { show: false },
        spanGaps: false,
      },
    ],
  };
}
