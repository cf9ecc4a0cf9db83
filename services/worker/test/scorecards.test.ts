import { readScorecards } from '@hushryd/outreach/delivery/scorecard-exchange';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import t from 'tap';
import { readConfig } from '../src/config.ts';
import { openDelivery } from '../src/open-delivery.ts';

t.test('a worker whose only company opens incidents tells how that one does', async (t) => {
  const redis = await testRedis(t);
  const mongo = await testMongo(t);
  const sandbox = await startSandbox();
  t.teardown(() => sandbox.close());
  const { PAGERDUTY_BASE_URL, PAGERDUTY_ROUTING_KEY } = sandbox.environment;
  const config = readConfig({
    ...redis.variables,
    MONGODB_URL: mongo.url,
    MONGODB_DATABASE: mongo.database,
    ...createTestFieldKeys(),
    PAGERDUTY_BASE_URL,
    PAGERDUTY_ROUTING_KEY,
  });
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const connections = await connectRedis({ settings: config.redis, role: 'live', log });
  t.teardown(() => connections.close());
  const stores = { redis: connections.commands, keys: createKeys(config.redis) };
  const lifecycle = createLifecycle({ log, timeoutMs: 10_000 });
  t.teardown(() => lifecycle.close('test ended'));
  const delivery = await openDelivery({
    config,
    workerId: 'worker-1',
    ...stores,
    db: mongo.db,
    lifecycle,
    telemetry,
    log,
  });
  t.equal(delivery.providers.hasCarriers, false);

  for (const provider of delivery.providers.incident) {
    const message = { action: 'resolve', dedupKey: 'alert-1' } as const;
    await delivery.desk.attempt({ provider, message, attemptId: 'attempt-1' });
  }

  const told = await waitFor(
    async () => {
      const cards = await readScorecards(stores);
      return cards.length > 0 ? cards : undefined;
    },
    { withinMs: 20_000, what: 'its scorecards' },
  );
  t.match(told, [{ provider: 'pagerduty', attempts: 1, accepted: 1 }]);
});
