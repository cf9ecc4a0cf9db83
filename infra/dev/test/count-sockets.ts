import type { ServiceProcess } from '@hushryd/platform/testing/service-process';

/** Open sockets of a node by its metric `realtime_connections`, which autoscaling reads as well. */
export async function countSockets(node: Pick<ServiceProcess, 'waitForLog'>): Promise<number> {
  const text = await readMetrics(node);
  const value = /^realtime_connections\{service="realtime",instance="realtime-[^"]+"\} (\d+)$/m.exec(text)?.[1];
  if (value === undefined) throw new Error('no realtime_connections with the node’s instance id');
  return Number(value);
}

/** Sockets that a node closed with this code. */
export async function countClosed(node: Pick<ServiceProcess, 'waitForLog'>, code: number): Promise<number> {
  const text = await readMetrics(node);
  return Number(new RegExp(`^realtime_closed_total\\{[^}]*code="${code}"[^}]*\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** Longest time for which a node's event loop was held since this was asked last, in milliseconds. */
export async function longestHoldMs(node: Pick<ServiceProcess, 'waitForLog'>): Promise<number> {
  const text = await readMetrics(node);
  return 1000 * Number(/^nodejs_eventloop_lag_max_seconds\{[^}]*\} (\S+)$/m.exec(text)?.[1]);
}

async function readMetrics({ waitForLog }: Pick<ServiceProcess, 'waitForLog'>): Promise<string> {
  const { metricsPort } = await waitForLog('listening');
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { signal: AbortSignal.timeout(5000) });
  return response.text();
}

/** How even sockets are spread: the fullest node against the emptiest. 1 is perfect; Infinity where a node has none. */
export function unevenness(counts: readonly number[]): number {
  return Math.max(...counts) / Math.min(...counts);
}
