import type { ServiceProcess } from '@hushryd/platform/testing/service-process';

/** What a process holds once garbage is gone. */
interface MemorySample {
  readonly atMs: number;
  /** Sockets that have come and gone so far. */
  readonly sockets: number;
  /** What is reachable from JavaScript: the heap, and buffers outside it. */
  readonly reachableBytes: number;
  /** All that the kernel counts for the process, with what V8 and malloc keep for later. */
  readonly residentBytes: number;
}

/** For Node, so that a service can be asked. */
export const memoryProbeArgs = ['--expose-gc', `--import=${new URL('./tell-memory.mjs', import.meta.url).href}`];

const hourMs = 3_600_000;
const withinMs = 30_000;

/** Samples of one process over a run. */
export interface MemoryGrowth {
  /** Cost: a full collection, some tens of milliseconds in which the process does nothing else. */
  sample(sockets: number): Promise<void>;
  /** From the samples after the warm-up, by least squares. */
  bytesPerSocket(): number;
  bytesPerHour(of: 'reachableBytes' | 'residentBytes'): number;
  /** From the first to the last of these samples. */
  measuredHours(): number;
}

/** @param warmUp the part of the samples, from the first one, that is left out: code is compiled and pools fill */
export function createMemoryGrowth(
  process: Pick<ServiceProcess, 'signal' | 'waitForLog'>,
  warmUp = 1 / 3,
): MemoryGrowth {
  const samples: MemorySample[] = [];
  const judged = () => samples.slice(Math.floor(samples.length * warmUp));
  return {
    async sample(sockets) {
      const number = samples.length + 1;
      process.signal('SIGUSR2');
      const line = await process.waitForLog(
        (said) => said.msg === 'memory after collection' && said.number === number,
        {
          withinMs,
        },
      );
      const { heapUsed, external, rss } = line as unknown as NodeJS.MemoryUsage;
      samples.push({ atMs: performance.now(), sockets, reachableBytes: heapUsed + external, residentBytes: rss });
    },
    bytesPerSocket: () => slopeOf(judged().map(({ sockets, reachableBytes }) => [sockets, reachableBytes])),
    bytesPerHour: (of) => slopeOf(judged().map(({ atMs, [of]: bytes }) => [atMs, bytes])) * hourMs,
    measuredHours: () => ((judged().at(-1)?.atMs ?? 0) - (judged()[0]?.atMs ?? 0)) / hourMs,
  };
}

/** By least squares. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return below === 0 ? 0 : above / below;
}
