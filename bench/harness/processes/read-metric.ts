const answerWithinMs = 5_000;

/**
 * One gauge of a service, as Prometheus would read it; with labels their sum.
 *
 * @throws Error where the service does not answer, or has no such metric
 */
export async function readMetric(metricsPort: number, metric: string): Promise<number> {
  return sumOf(await readSamples(metricsPort, metric));
}

/** A counter of a service, all its labels together; 0 where nothing was counted yet. @throws Error where the service does not answer */
export async function readCounter(metricsPort: number, metric: string): Promise<number> {
  return sumOf(parseSamples(await readText(metricsPort), metric));
}

/** Of a histogram, by ascending upper ends: how many observations are within each, all smaller ones included. */
export type Buckets = readonly { readonly within: number; readonly count: number }[];

/**
 * The bucket of a histogram that a share of its observations is within.
 *
 * @param share 0.99 for p99
 * @returns the bucket's upper end; Infinity where it is the last
 * @throws Error where the service does not answer, or observed nothing
 */
export async function readPercentile(metricsPort: number, histogram: string, share: number): Promise<number> {
  return percentileOf(await readBuckets(metricsPort, histogram), share);
}

/** A histogram since the service started, all its labels together. @throws Error where the service does not answer, or has none */
export async function readBuckets(metricsPort: number, histogram: string): Promise<Buckets> {
  const samples = await readSamples(metricsPort, `${histogram}_bucket`);
  return addBuckets(
    samples.map(({ labels, value }) => ({
      within: Number(/le="([^"]+)"/.exec(labels)?.[1]?.replace('+Inf', 'Infinity')),
      count: value,
    })),
  );
}

/** One histogram of several processes together; those that do not have it are left out. */
export async function readBucketsOf(metricsPorts: readonly number[], histogram: string): Promise<Buckets> {
  const all = await Promise.all(
    metricsPorts.map(async (port) => ((await hasMetric(port, histogram)) ? readBuckets(port, histogram) : [])),
  );
  return addBuckets(all.flat());
}

/** What was observed between two readings of one histogram. */
export function bucketsSince(before: Buckets, after: Buckets): Buckets {
  const known = new Map(before.map(({ within, count }) => [within, count]));
  return after.map(({ within, count }) => ({ within, count: count - (known.get(within) ?? 0) }));
}

/** @returns as `readPercentile` @throws Error where nothing was observed */
export function percentileOf(buckets: Buckets, share: number): number {
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) throw new Error('a histogram observed nothing');
  return buckets.find(({ count }) => count >= share * total)?.within ?? Number.POSITIVE_INFINITY;
}

/** Those of one upper end are one. */
function addBuckets(parts: Buckets): Buckets {
  const counts = new Map<number, number>();
  for (const { within, count } of parts) counts.set(within, (counts.get(within) ?? 0) + count);
  return [...counts].map(([within, count]) => ({ within, count })).sort((a, b) => a.within - b.within);
}

const hasMetric = async (metricsPort: number, metric: string): Promise<boolean> =>
  (await readText(metricsPort)).includes(`\n# TYPE ${metric} `);

async function readText(metricsPort: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, {
    signal: AbortSignal.timeout(answerWithinMs),
  });
  return response.text();
}

interface Sample {
  readonly labels: string;
  readonly value: number;
}

const sumOf = (samples: readonly Sample[]): number => samples.reduce((sum, { value }) => sum + value, 0);

async function readSamples(metricsPort: number, metric: string): Promise<Sample[]> {
  const samples = parseSamples(await readText(metricsPort), metric);
  if (samples.length === 0) throw new Error(`the service has no metric ${metric}`);
  return samples;
}

function parseSamples(text: string, metric: string): Sample[] {
  const lines = text.split('\n').filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));
  return lines.map((line) => {
    const at = line.lastIndexOf(' ');
    return { labels: line.slice(metric.length, at), value: Number(line.slice(at + 1)) };
  });
}
