import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { testRedis } from '@hushryd/platform/testing/engines';
import t from 'tap';
import { createAlertSignals } from '../src/alerts/alert-signals.ts';
import { newKey } from './open-hub.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const settings = (await testRedis(t)).settings();
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const keys = createKeys(settings);
const signals = createAlertSignals({ redis: connections.commands, keys });

t.test('one node hears what another one told', async (t) => {
  const alertId = newKey();
  t.same(await signals.read(alertId), { isStored: false });
  t.equal(await signals.tellAcknowledged(alertId, { by: 'olga', atMs: 7 }), true);
  t.same(await signals.read(alertId), { ack: { by: 'olga', atMs: 7 }, isStored: false });
  await signals.tellStored(alertId);
  t.match(await signals.read(alertId), { ack: { by: 'olga' }, isStored: true });
});

t.test('what cannot be read stops nobody who sends', async (t) => {
  for (const text of ['olga', 'null', '{"by":7}', '[]']) {
    const alertId = newKey();
    await connections.commands.set(keys.sosAcknowledged(alertId), text, 'PX', 60_000);
    t.same(await signals.read(alertId), { isStored: false }, text);
  }
});
