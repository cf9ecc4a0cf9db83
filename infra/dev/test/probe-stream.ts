import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import type { TestScope } from '@hushryd/platform/testing/engines';
import type { ServiceProcess } from '@hushryd/platform/testing/service-process';
import type { System } from './system.ts';

export interface StreamProbe {
  /** Has this worker (or any) taken fixes from the stream that it has not acknowledged? */
  hasPending(worker?: ServiceProcess): Promise<boolean>;
  /** Where Redis keeps its files. */
  dataFolder(): Promise<string>;
}

/** Looks into the system's Redis from outside. */
export async function probeStream(t: TestScope, system: System): Promise<StreamProbe> {
  const keys = createKeys(system.redis);
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const connections = await connectRedis({ settings: system.redis, role: 'live', log });
  t.teardown(() => connections.close());
  const redis = connections.commands;

  return {
    async hasPending(worker) {
      const consumer = worker === undefined ? [] : [String(worker.logs[0]?.instanceId)];
      const pending = await Promise.all(
        Array.from({ length: keys.partitions }, (_, p) =>
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
