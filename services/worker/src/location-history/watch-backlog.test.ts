import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { HistoryPace } from '@hushryd/tracking/history/durable-feed';
import { test } from 'tap';
import type { FixStream } from './fix-stream.ts';
import { createBacklogWatch } from './watch-backlog.ts';

test('phones are slowed above the budget, thinned above twice of it, and free below half of it', async (t) => {
  let bytes = 0;
  const said: HistoryPace[] = [];
  const watch = createBacklogWatch({
    streams: new Map([[3, { bytes: async () => bytes } as unknown as FixStream]]),
    maxBytes: 100,
    slowCadenceMs: 5000,
    publishPace: async (partition, pace) => {
      t.equal(partition, 3);
      said.push(pace);
    },
    telemetry: createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }),
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
  });
  const lookAt = async (now: number) => {
    bytes = now;
    await watch.runNow();
    return said.splice(0).map(({ cadenceMs, thinMs }) => [cadenceMs, thinMs]);
  };

  t.strictSame(await lookAt(100), [], 'within the budget nothing is said');
  t.strictSame(await lookAt(101), [[5000, 0]]);
  t.strictSame(await lookAt(60), [[5000, 0]], 'said again, for nodes that have just started');
  t.strictSame(await lookAt(201), [[5000, 5000]]);
  t.strictSame(await lookAt(150), [[5000, 5000]], 'not back and forth');
  t.strictSame(await lookAt(49), [[0, 0]]);
  t.strictSame(await lookAt(49), []);
});
