import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { createAlertMetrics } from '../alerts/alert-metrics.ts';
import { isTriggerRecord, type TriggerRecord } from '../alerts/trigger-record.ts';
import { createIntakeStream } from './intake-stream.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const settings = (await testRedis(t)).settings();
const connections = await connectRedis({ settings, role: 'queue', log });
t.teardown(() => connections.close());
const redis = connections.commands;
const keys = createKeys(settings);

const press: TriggerRecord = {
  triggerId: 'press-1',
  userId: 'rita',
  role: 'rider',
  region: 'test',
  acceptedAt: '2026-03-01T08:00:00.000Z',
  via: 'https',
  isTokenExpired: false,
  trigger: { alertId: 'press-1', triggeredAt: '2026-03-01T08:00:00.000Z' },
  outbox: [],
  contacts: [],
};

t.test('what is no press is set aside, within bounds, and holds up no other', async (t) => {
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const metrics = createAlertMetrics(telemetry);
  const intake = createIntakeStream({ redis, keys, isBody: isTriggerRecord, metrics, log });
  const stream = keys.sosIntake();
  const bad = ['{"triggerId":', 'null', '{}', JSON.stringify({ ...press, acceptedAt: 'yesterday' })];
  for (const text of bad) await redis.xadd(stream, '*', 'k', 'rita:press-0', 'e', text);
  await redis.xadd(stream, '*', 'other', 'fields');
  await intake.add({ key: 'rita:press-1', body: press });

  const read = await intake.read(500);

  t.match(read, [{ key: 'rita:press-1', body: press }]);
  t.equal(read.length, 1);
  t.equal(await redis.xlen(stream), 1, 'only the press is left');
  const kept = (await redis.lrange(keys.sosIntakeBad(), 0, -1)).map((text) => JSON.parse(text)[1].at(-1));
  t.same(kept, [...bad, 'fields']);
  t.match(await telemetry.registry.metrics(), /^sos_intake_set_aside_total\{.*\} 5$/m);

  for (let count = 0; count < 120; count += 1) await redis.xadd(stream, '*', 'k', 'x', 'e', `bad ${count}`);
  t.equal((await intake.read(500)).length, 1);
  t.equal(await redis.llen(keys.sosIntakeBad()), 100);
  t.match((await redis.lrange(keys.sosIntakeBad(), -1, -1))[0], /bad 119/);
});
