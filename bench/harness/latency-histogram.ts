/** Each power of two is parted so often: a value is known to 0.8 %. */
const subBuckets = 128;
const subBits = 7;
const maxMicros = 2 ** 31;
const bucketCount = (31 - subBits + 1) * subBuckets + subBuckets;

/** Counts of a histogram, small enough to be sent between processes. */
export interface LatencyCounts {
  readonly counts: Uint32Array;
  readonly maxMs: number;
}

export interface LatencyHistogram {
  record(ms: number): void;
  add(other: LatencyCounts): void;
  /** @param share 0.99 for p99 @returns milliseconds, the upper end of its bucket; NaN without samples */
  percentile(share: number): number;
  readonly count: number;
  readonly maxMs: number;
  toCounts(): LatencyCounts;
}

/**
 * Latencies in buckets whose width grows with the value, from 1 µs to 35 minutes. A percentile over tens of thousands of samples a
 * second costs an increment each, and histograms of several processes add up exactly.
 */
export function createLatencyHistogram(): LatencyHistogram {
  const counts = new Uint32Array(bucketCount);
  let count = 0;
  let maxMs = 0;
  return {
    record(ms) {
      counts[bucketOf(ms)] = (counts[bucketOf(ms)] as number) + 1;
      count += 1;
      if (ms > maxMs) maxMs = ms;
    },
    add(other) {
      for (const [bucket, added] of other.counts.entries()) {
        if (added === 0) continue;
        counts[bucket] = (counts[bucket] as number) + added;
        count += added;
      }
      maxMs = Math.max(maxMs, other.maxMs);
    },
    percentile(share) {
      if (count === 0) return Number.NaN;
      let missing = Math.max(1, Math.ceil(share * count));
      for (const [bucket, some] of counts.entries()) {
        missing -= some;
        if (missing <= 0) return Math.min(upperEndMs(bucket), maxMs);
      }
      return maxMs;
    },
    get count() {
      return count;
    },
    get maxMs() {
      return maxMs;
    },
    toCounts: () => ({ counts, maxMs }),
  };
}

function bucketOf(ms: number): number {
  const micros = Math.min(maxMicros - 1, Math.max(0, Math.round(ms * 1000)));
  if (micros < subBuckets) return micros;
  const power = 31 - Math.clz32(micros);
  return (power - subBits + 1) * subBuckets + ((micros >>> (power - subBits)) & (subBuckets - 1));
}

function upperEndMs(bucket: number): number {
  if (bucket < subBuckets) return bucket / 1000;
  const power = Math.floor(bucket / subBuckets) + subBits - 1;
  const width = 2 ** (power - subBits);
  return (2 ** power + ((bucket % subBuckets) + 1) * width - 1) / 1000;
}
