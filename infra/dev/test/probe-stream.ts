import { createKeys } from '@hushryd/platform/redis/keys';
import type { TestScope } from '@hushryd/platform/testing/engines';
import type { ServiceProcess } from '@hushryd/platform/testing/service-process';
import { Redis } from 'ioredis';
import type { System } from './system.ts';

export interface StreamProbe {
  /** Has this worker (or any) taken fixes from the stream that it has not acknowledged? */
  hasPending(worker?: ServiceProcess): Promise<boolean>;
  /** Where Redis keeps its files. */
  dataFolder(): Promise<string>;
}

const partitions = 16;

/** Looks into the system's Redis from outside. */
export function probeStream(t: TestScope, system: System): StreamProbe {
  const keys = createKeys({ prefix: system.redisPrefix, partitions });
  const redis = new Redis(system.redisUrl, { retryStrategy: () => 100 });
  redis.on('error', () => undefined); // Redis goes away on purpose.
  t.teardown(() => redis.disconnect());

  return {
    async hasPending(worker) {
      const consumer = worker === undefined ? [] : [String(worker.logs[0]?.instanceId)];
      const pending = await Promise.all(
        Array.from({ length: partitions }, (_, p) =>
          redis.call('XPENDING', keys.fixes(p), 'history', '-', '+', '1', ...consumer),
        ),
      );
      return pending.some((entries) => (entries as unknown[]).length > 0);
    },
    async dataFolder() {
      const [, folder] = (await redis.config('GET', 'dir')) as [string, string];
      return folder;
    },
  };
}
