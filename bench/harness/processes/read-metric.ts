const answerWithinMs = 5_000;

/**
 * One gauge of a service, as Prometheus would read it; with labels their sum.
 *
 * @throws Error where the service does not answer, or has no such metric
 */
export async function readMetric(metricsPort: number, metric: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, {
    signal: AbortSignal.timeout(answerWithinMs),
  });
  const lines = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));
  if (lines.length === 0) throw new Error(`the service has no metric ${metric}`);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
