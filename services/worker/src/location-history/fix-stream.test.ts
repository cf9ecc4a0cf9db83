import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testRedis } from '@hushryd/platform/testing/engines';
import { createWriteBatch } from '@hushryd/tracking/positions/write-batch';
import t from 'tap';
import { createFixStream } from './fix-stream.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const settings = (await testRedis(t)).settings({ partitions: 1 });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);

const streamOf = (consumer: string) =>
  createFixStream({ redis, keys, partition: 0, consumer, log, onRejected: () => undefined });

async function consumers(): Promise<string[]> {
  const found = (await redis.xinfo('CONSUMERS', keys.fixes(0), 'history')) as unknown[][];
  return found.map((fields) => String(fields[fields.indexOf('name') + 1])).sort();
}

t.test('consumers of workers that are gone are forgotten, one with something pending is not', async (t) => {
  const fixes = [{ seq: 1, recordedAtMs: 1, lat: 41, lng: -8, live: true }];
  await createWriteBatch({ redis, keys })(0, [{ driverId: 'd', run: 1, from: 1, drops: [], receivedAtMs: 1, fixes }]);
  const pending = streamOf('pending');
  const [entry] = await pending.readNew();
  const join = (name: string) => redis.xgroup('CREATECONSUMER', keys.fixes(0), 'history', name);
  await join('idle');
  const idleMs = 200;
  await sleep(1.5 * idleMs);
  const next = streamOf('next');
  await join('busy');

  await next.forgetConsumers(idleMs);
  t.strictSame(await consumers(), ['busy', 'pending']);

  t.match(await next.claimPending(), [{ id: entry?.id }], 'what it left is still there to claim');
  await next.acknowledge([entry?.id ?? '']);
  await sleep(1.5 * idleMs);
  await next.forgetConsumers(idleMs);
  t.strictSame(await consumers(), ['next'], 'with nothing left it goes, only the own one stays');
});
