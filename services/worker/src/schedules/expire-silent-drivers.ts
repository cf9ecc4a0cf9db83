import { createAttempts } from '@hushryd/platform/lifecycle/attempts';
import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { SilentExpiry } from '@hushryd/tracking/positions/expire-silent';

/** Drivers who have been silent for `silentForMs` leave positions, nearby and every map. Each worker sees to the partitions it holds. */
export function createSilentDriversSchedule({
  expiry,
  partitions,
  silentForMs,
  everyMs,
  telemetry,
  log,
}: {
  expiry: SilentExpiry;
  partitions: ReadonlySet<number>;
  silentForMs: number;
  everyMs: number;
  telemetry: Telemetry;
  log: Logger;
}): Periodic {
  const left = telemetry.counter({
    name: 'silent_drivers_total',
    help: 'Drivers who left the live positions because they fell silent',
  });

  async function run(): Promise<void> {
    const work = createAttempts();
    for (const partition of partitions) {
      await work.make(async () => {
        left.inc(await expiry.expirePartition(partition, { silentForMs, nowMs: Date.now() }));
      });
    }
    work.throwFirst();
  }

  return createPeriodic({ name: 'expire silent drivers', everyMs, run, log });
}
