import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { HistoryPace } from '@hushryd/tracking/history/durable-feed';
import type { FixStream } from './fix-stream.ts';

/** How far behind history is: phones go on as they like, are asked to report less often, or are also thinned. */
type Strain = 'none' | 'slow' | 'thin';

/** Phones that do not listen fill the stream on; at so many times the budget they are thinned. */
const thinAtBudgets = 2;

/**
 * Watches how much of each partition waits for MongoDB. Above the budget phones are asked for a slower cadence; above twice the budget
 * nodes keep no fixes that come closer, and say so to the phone; below half of it everybody does as they like again. The stream is
 * never trimmed to make room.
 */
export function createBacklogWatch({
  streams,
  maxBytes,
  slowCadenceMs,
  publishPace,
  telemetry,
  log,
}: {
  streams: ReadonlyMap<number, FixStream>;
  maxBytes: number;
  slowCadenceMs: number;
  publishPace: (partition: number, pace: HistoryPace) => Promise<void>;
  telemetry: Telemetry;
  log: Logger;
}): Periodic {
  const strained = new Map<number, Strain>();
  const bytesGauge = telemetry.gauge({
    name: 'history_stream_bytes',
    help: 'Memory of the fixes that wait for MongoDB, over the partitions held here',
  });
  const paces: Record<Strain, HistoryPace> = {
    none: { cadenceMs: 0, thinMs: 0 },
    slow: { cadenceMs: slowCadenceMs, thinMs: 0 },
    thin: { cadenceMs: slowCadenceMs, thinMs: slowCadenceMs },
  };

  function judge(bytes: number, before: Strain): Strain {
    if (bytes > thinAtBudgets * maxBytes) return 'thin';
    if (bytes > maxBytes) return before === 'thin' ? 'thin' : 'slow';
    return bytes < maxBytes / 2 ? 'none' : before;
  }

  async function look(): Promise<void> {
    let total = 0;
    for (const [partition, stream] of streams) {
      const bytes = await stream.bytes();
      total += bytes;
      const before = strained.get(partition) ?? 'none';
      const strain = judge(bytes, before);
      if (strain === 'none' && before === 'none') continue;
      // Said again each time: nodes that started meanwhile have not heard it, and all forget what is not repeated.
      await publishPace(partition, paces[strain]);
      if (strain !== before) log.warn({ partition, bytes, strain }, 'history changed its pace');
      if (strain === 'none') strained.delete(partition);
      else strained.set(partition, strain);
    }
    bytesGauge.set(total);
  }

  return createPeriodic({ name: 'watch history backlog', everyMs: 2000, run: look, log });
}
