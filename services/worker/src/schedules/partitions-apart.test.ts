import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { test } from 'tap';
import { createSilenceSchedule } from './announce-silence.ts';
import { createSilentDriversSchedule } from './expire-silent-drivers.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const partitions = new Set([0, 1, 2]);
/** The shard with the first partition is away. */
const lookAt = async <Result>(seen: number[], partition: number, result: Result): Promise<Result> => {
  seen.push(partition);
  if (partition === 0) throw new Error('away');
  return result;
};

test('presence is told in all partitions that answer, and the failure is known', async (t) => {
  const seen: number[] = [];
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const schedule = createSilenceSchedule({
    watch: { look: (partition) => lookAt(seen, partition, { silent: 2, heard: 1 }) },
    partitions,
    silentAfterMs: 1,
    liveMaxAgeMs: 0,
    everyMs: 1_000,
    telemetry,
    log,
  });
  await schedule.runNow();
  t.strictSame(seen, [0, 1, 2]);
  t.equal(schedule.failedCount, 1);
  t.match(await telemetry.registry.getSingleMetricAsString('driver_presence_events_total'), /event="silent".* 4\n/);
});

test('silent drivers leave all partitions that answer', async (t) => {
  const seen: number[] = [];
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const schedule = createSilentDriversSchedule({
    expiry: { expirePartition: (partition) => lookAt(seen, partition, 3) },
    partitions,
    silentForMs: 1,
    everyMs: 1_000,
    telemetry,
    log,
  });
  await schedule.runNow();
  t.strictSame(seen, [0, 1, 2]);
  t.equal(schedule.failedCount, 1);
  t.match(await telemetry.registry.getSingleMetricAsString('silent_drivers_total'), / 6$/);
});
