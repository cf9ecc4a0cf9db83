import { test } from 'tap';
import { createLogger } from '../logging/create-logger.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import type { RedisClient } from './client.ts';
import { createMemoryWatch } from './watch-memory.ts';

test('a Redis that fills is said once above 80 %, and again only after it was below 70 %', async (t) => {
  let info = '';
  const warnings: string[] = [];
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const watch = createMemoryWatch({
    redis: { info: async () => info } as unknown as RedisClient,
    telemetry,
    log: createLogger({
      service: 'test',
      instanceId: 'test',
      level: 'warn',
      destination: { write: (line) => void warnings.push(JSON.parse(line).usedPercent) },
    }),
  });
  const lookAt = async (usedBytes: number, maxBytes = 1000) => {
    info = `# Memory\r\nused_memory:${usedBytes}\r\nused_memory_peak:9999\r\nmaxmemory:${maxBytes}\r\nmaxmemory_policy:noeviction\r\n`;
    await watch.runNow();
    return warnings.splice(0);
  };
  t.teardown(() => watch.close());

  t.strictSame(await lookAt(5000, 0), [], 'without a limit it is never full');
  t.strictSame(await lookAt(800), []);
  t.strictSame(await lookAt(810), [81]);
  t.strictSame(await lookAt(900), [], 'said once');
  t.match(await telemetry.registry.metrics(), /^redis_memory_used_ratio\b.* 0\.9$/m);
  t.strictSame(await lookAt(750), []);
  t.strictSame(await lookAt(850), [], 'not back and forth');
  t.strictSame(await lookAt(600), []);
  t.strictSame(await lookAt(850), [85]);
});
