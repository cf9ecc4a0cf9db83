import { createAttempts } from '@hushryd/platform/lifecycle/attempts';
import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { SilenceWatch } from '@hushryd/tracking/positions/watch-silence';

/** Trips hear when their driver falls silent, and when he is back. Each worker sees to the partitions it holds. */
export function createSilenceSchedule({
  watch,
  partitions,
  silentAfterMs,
  liveMaxAgeMs,
  everyMs,
  telemetry,
  log,
}: {
  watch: SilenceWatch;
  partitions: ReadonlySet<number>;
  silentAfterMs: number;
  liveMaxAgeMs: number;
  everyMs: number;
  telemetry: Telemetry;
  log: Logger;
}): Periodic {
  const told = telemetry.counter({
    name: 'driver_presence_events_total',
    help: 'Times that a trip was told of its driver falling silent, or being heard again',
    labelNames: ['event'],
  });

  async function run(): Promise<void> {
    const work = createAttempts();
    for (const partition of partitions) {
      await work.make(async () => {
        const { silent, heard } = await watch.look(partition, { silentAfterMs, liveMaxAgeMs, nowMs: Date.now() });
        told.inc({ event: 'silent' }, silent);
        told.inc({ event: 'heard' }, heard);
      });
    }
    work.throwFirst();
  }

  return createPeriodic({ name: 'announce silence', everyMs, run, log });
}
