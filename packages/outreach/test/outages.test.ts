import { ownRedis, type TestRedis, testMongo, testRedis } from '@hushryd/platform/testing/engines';
import { listKeys } from '@hushryd/platform/testing/redis-variables';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import t from 'tap';
import { type Hub, hasEnded, newKey, openHub, phone } from './open-hub.ts';

const redis = await testRedis(t);
const mongo = await testMongo(t);

/** A slow machine is no reason to send anything twice. */
const patient = { PROVIDER_DEADLINE_MS: '10000' };

async function notifyMany(hub: Hub, count: number): Promise<string[]> {
  const notified = await Promise.all(
    Array.from({ length: count }, () =>
      hub.notify({
        recipient: { addresses: { sms: phone() } },
        template: 'ride_ended',
        class: 'normal',
        channels: ['sms'],
        idempotencyKey: newKey(),
        variables: { person: 'Asha' },
      }),
    ),
  );
  return notified.flat().map(({ recordId }) => recordId);
}

const allArrive = (hub: Hub, recordIds: readonly string[], withinMs = 30_000) =>
  waitFor(
    async () => {
      const records = await Promise.all(recordIds.map((recordId) => hub.read(recordId)));
      return records.every((record) => hasEnded(record) && record.state === 'delivered');
    },
    { withinMs, what: `the delivery of ${recordIds.length} notifications` },
  );

t.test('without a queue the sweepers send', async (t) => {
  const hub = await openHub(t, { redis, mongo }, { ...patient, ENABLE_MESSAGE_QUEUE: 'false' });
  hub.start();
  const recordIds = await notifyMany(hub, 20);

  await allArrive(hub, recordIds);

  t.equal(hub.queues, undefined);
  t.match(await hub.telemetry.registry.metrics(), /notifications_swept_total\{.*by="sent".*\} 20\n/);
});

t.test('jobs that Redis lost are back by themselves', async (t) => {
  const hub = await openHub(t, { redis, mongo }, patient);
  const recordIds = await notifyMany(hub, 20);
  await waitFor(async () => (await hub.queues?.count('normal'))?.waiting === 20, {
    withinMs: 10_000,
    what: 'the jobs',
  });
  const client = hub.connections?.client;
  const keys = client === undefined ? [] : await listKeys(client, hub.keys.prefix);
  await Promise.all(keys.map((key) => client?.unlink(key)));
  t.ok(keys.length > 20, 'a job has a key of its own');

  const startedAtMs = performance.now();
  hub.start();
  await allArrive(hub, recordIds);

  t.comment(`all of them had arrived ${Math.round(performance.now() - startedAtMs)} ms later`);
  for (const recordId of recordIds) {
    const { attempts } = await hub.read(recordId);
    t.equal(attempts.length, 1);
  }
});

t.test('Redis hangs, dies and comes back while messages are sent, and every one arrives', async (t) => {
  const engine = await ownRedis(t);
  const urls = { live: engine.url, queue: engine.url, cache: engine.url };
  const single = { ...redis, settings: () => ({ ...redis.settings(), urls, isCluster: false, sentinels: undefined }) };
  const hub = await openHub(t, { redis: single as TestRedis, mongo }, patient);
  hub.start();
  const before = await notifyMany(hub, 20);

  engine.faults.pause();
  const hung = await notifyMany(hub, 20);
  await allArrive(hub, [...before, ...hung]);
  t.pass('with Redis hung the sweepers send');
  engine.faults.resume();
  await engine.faults.kill9();
  const away = await notifyMany(hub, 20);
  await allArrive(hub, away);
  await engine.faults.restart();
  await waitFor(() => hub.queues?.isReady, { withinMs: 20_000, what: 'the queue' });
  const after = await notifyMany(hub, 20);
  await allArrive(hub, after);

  const sent = hub.sandbox.messages.list({ channel: 'sms' }).length;
  t.equal(sent, 80, 'and none twice');
});

t.test('a vendor’s news that could not be stored comes again; what was stored has its effect later', async (t) => {
  const hub = await openHub(t, { redis, mongo }, patient);
  const [recordId = ''] = await notifyMany(hub, 1);
  await hub.process(recordId);
  // Nobody sweeps here: a receipt that a busy machine could not apply at once is applied by this.
  const isDelivered = async () => {
    await hub.webhooks.retryPending();
    return (await hub.read(recordId)).state === 'delivered';
  };
  await waitFor(isDelivered, { withinMs: 30_000, what: 'the delivery' });
  const { attempts } = await hub.read(recordId);
  t.equal(attempts.length, 1);
  const receipt = {
    provider: 'twilio-sms',
    providerMessageId: 'SM1',
    attemptId: attempts[0]?.attemptId ?? '',
    status: 'read',
    atMs: Date.now(),
    eventId: 'SM1:read',
  } as const;

  // As if the process had died between the two.
  t.match(await hub.webhookStore.keep(receipt, Date.now() - 60_000), { is: 'pending' });
  await hub.webhooks.retryPending();

  const record = await hub.read(recordId);
  t.equal(Object.values(record.receipts)[0]?.status, 'read');
  t.match(await hub.webhookStore.keep(receipt, Date.now()), { is: 'done' });
});
