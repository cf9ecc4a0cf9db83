import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import t from 'tap';
import { createDispatchMetrics } from './dispatch-metrics.ts';
import { createAlertSweep } from './sweep-alerts.ts';

t.test('an alert that nobody acknowledges grows older also while the database is away', async (t) => {
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  let nowMs = 1_000;
  let [unackedMs, isAway] = [40_000, false];
  const answer = async <Value>(value: Value): Promise<Value> => {
    if (isAway) throw new AppError('database_unavailable');
    return value;
  };
  const sweep = createAlertSweep({
    store: { findDue: () => answer([]), oldestUnackedMs: () => answer(unackedMs) },
    dispatch: async () => undefined,
    settings: { sweepMs: 1_000, processors: 1 },
    metrics: createDispatchMetrics(telemetry),
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
    monotonicMs: () => nowMs,
  });
  t.teardown(() => sweep.close());
  const shown = async () => (await telemetry.registry.getSingleMetric('sos_unacked_age')?.get())?.values[0]?.value;

  await sweep.runNow();
  t.equal(await shown(), 40);
  isAway = true;
  nowMs += 60_000;
  await sweep.runNow();
  t.equal(await shown(), 100);

  isAway = false;
  unackedMs = 0;
  await sweep.runNow();
  t.equal(await shown(), 0, 'somebody has acknowledged it');
  nowMs += 60_000;
  isAway = true;
  await sweep.runNow();
  t.equal(await shown(), 0, 'what is not there does not grow');
});
