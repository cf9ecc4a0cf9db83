import { Pool } from 'undici';
import { createLatencyHistogram, type LatencyCounts } from '../latency-histogram.ts';
import { monotonicMs } from './monotonic.ts';

export interface ReadableCounts extends LatencyCounts {
  /** Answers that showed it. */
  readonly heard: number;
  /** Answers that did not show the acknowledged fix, and requests without an answer: must be 0. */
  readonly failures: number;
  readonly lastFailure: string | undefined;
}

const givenUpAfterMs = 5_000;

/** Asks another process for each acknowledged fix, at once. */
export function createReadableCheck(input: { apiPort: number; paths: readonly string[]; tokens: readonly string[] }) {
  const pool = new Pool(`http://127.0.0.1:${input.apiPort}`, { connections: 64, pipelining: 1 });
  let latencies = createLatencyHistogram();
  let failures = 0;
  let lastFailure: string | undefined;

  /** @param driver whose fix `seq` was acknowledged just now */
  async function check(driver: number, seq: number): Promise<void> {
    const startedAtMs = monotonicMs();
    try {
      const found = await read(driver);
      if (found >= seq) latencies.record(monotonicMs() - startedAtMs);
      else fail(`seq ${found} read after ${seq} was acknowledged`);
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    }
  }

  async function read(driver: number): Promise<number> {
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path: input.paths[driver] as string,
      headers: { authorization: `Bearer ${input.tokens[driver]}` },
      signal: AbortSignal.timeout(givenUpAfterMs),
    });
    const reply = (await body.json()) as { location?: { seq: number } | null };
    if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
    return reply.location?.seq ?? 0;
  }

  function fail(reason: string): void {
    failures += 1;
    lastFailure = reason;
  }

  return {
    check,
    /** Since the last time this was asked. */
    take(): ReadableCounts {
      const counts = { ...latencies.toCounts(), heard: latencies.count, failures, lastFailure };
      latencies = createLatencyHistogram();
      failures = 0;
      return counts;
    },
  };
}
