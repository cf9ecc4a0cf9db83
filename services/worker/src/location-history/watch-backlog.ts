import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { FixStream } from './fix-stream.ts';

/**
 * Watches how much of each partition waits for MongoDB. Above the budget phones are asked for a slower cadence, below half of it for
 * their own again; the stream is never trimmed to make room.
 */
export function createBacklogWatch({
  streams,
  maxBytes,
  slowCadenceMs,
  publishCadence,
  telemetry,
  log,
}: {
  streams: ReadonlyMap<number, FixStream>;
  maxBytes: number;
  slowCadenceMs: number;
  publishCadence: (partition: number, cadenceMs: number) => Promise<void>;
  telemetry: Telemetry;
  log: Logger;
}): Periodic {
  const slowed = new Set<number>();
  const bytesGauge = telemetry.gauge({
    name: 'history_stream_bytes',
    help: 'Memory of the fixes that wait for MongoDB, over the partitions held here',
  });

  async function look(): Promise<void> {
    let total = 0;
    for (const [partition, stream] of streams) {
      const bytes = await stream.bytes();
      total += bytes;
      if (bytes > maxBytes) {
        // Said again each time: nodes that started meanwhile have not heard it.
        await publishCadence(partition, slowCadenceMs);
        if (!slowed.has(partition))
          log.warn({ partition, bytes }, 'history is behind, phones are asked for a slower cadence');
        slowed.add(partition);
      } else if (slowed.has(partition) && bytes < maxBytes / 2) {
        await publishCadence(partition, 0);
        log.info({ partition, bytes }, 'history has caught up');
        slowed.delete(partition);
      }
    }
    bytesGauge.set(total);
  }

  return createPeriodic({ name: 'watch history backlog', everyMs: 2000, run: look, log });
}
