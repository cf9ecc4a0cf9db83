import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { createLogger } from '../logging/create-logger.ts';
import { createKeys } from '../redis/keys.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { ownRedis, testRedis } from '../testing/engines.ts';
import { waitFor } from '../testing/wait-for.ts';
import { connectQueues } from './connect-queues.ts';
import type { JobReference } from './job-reference.ts';
import { openQueues } from './open-queues.ts';
import { openWorker } from './open-worker.ts';
import { createQueueMeter } from './queue-meter.ts';
import type { QueueName } from './queue-names.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
const redis = await testRedis(t);
const settings = redis.settings();
const newId = () => randomBytes(9).toString('base64url');
const names = ['otp', 'low'] as const;

async function openParts(t: Test, own = settings) {
  const connections = await connectQueues({ settings: own, log });
  const keys = createKeys({ ...own, prefix: `${own.prefix}${newId()}:` });
  const queues = openQueues({ connections, keys, names, log });
  t.teardown(async () => {
    await queues.close();
    await connections.close();
  });
  const done: JobReference[] = [];
  const startWorker = (
    name: QueueName,
    process: Parameters<typeof openWorker>[0]['process'] = async (job) => void done.push(job),
    ownTelemetry = telemetry,
  ) => {
    const worker = openWorker({ connections, keys, name, concurrency: 8, process, log, telemetry: ownTelemetry });
    t.teardown(() => worker.close());
    return worker;
  };
  return { connections, keys, queues, done, startWorker };
}

const arrives = (done: readonly JobReference[], count: number) =>
  waitFor(() => done.length >= count, { withinMs: 20_000, what: `${count} jobs` });

t.test('a job is done once, however often its step is added, and nothing of it is left', async (t) => {
  const { queues, done, startWorker } = await openParts(t);
  const job = { recordId: newId(), step: 0, correlationId: 'c-1' };
  await Promise.all([queues.add('otp', job), queues.add('otp', job), queues.addMany('otp', [job, job])]);
  t.equal((await queues.count('otp')).waiting, 1);

  startWorker('otp');
  await arrives(done, 1);
  await queues.add('otp', { ...job, step: 1 });
  await arrives(done, 2);

  t.strictSame(done, [job, { ...job, step: 1 }]);
  await waitFor(async () => Object.values(await queues.count('otp')).every((count) => count === 0), {
    withinMs: 10_000,
    what: 'the empty queue',
  });
  // A step that is over may come again: the sweeper adds what a dead worker left.
  await queues.add('otp', job);
  await arrives(done, 3);
});

t.test('queues do not wait for one another, and their keys carry prefix and hash tag', async (t) => {
  const { queues, keys, done, startWorker } = await openParts(t);
  await queues.addMany(
    'low',
    Array.from({ length: 50 }, () => ({ recordId: newId(), step: 0 })),
  );
  startWorker('low', async (_job, signal) => {
    // A job may still start while its worker closes.
    if (!signal.aborted) await once(signal, 'abort');
  });
  startWorker('otp');
  await queues.add('otp', { recordId: 'urgent', step: 0 });
  await arrives(done, 1);

  t.match(done, [{ recordId: 'urgent' }]);
  t.match(keys.queuePrefix('otp'), /^test:.*\{q-otp\}$/);
});

t.test('a job that cannot be done now is done later', async (t) => {
  const { queues, startWorker } = await openParts(t);
  let calls = 0;
  startWorker('low', async () => {
    calls += 1;
    if (calls < 3) throw new Error('the stores are away');
  });
  await queues.add('low', { recordId: newId(), step: 0 });
  await waitFor(() => calls === 3, { withinMs: 20_000, what: 'the third try' });
});

t.test('what lies in the queues is counted when somebody asks, and what has failed as it does', async (t) => {
  const { queues, startWorker } = await openParts(t);
  const own = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const meter = createQueueMeter({ telemetry: own });
  meter.watch(queues, ['otp']);
  meter.watch(queues, ['low']);
  const metrics = () => own.registry.metrics();
  t.match(await metrics(), /^queue_jobs\{queue="otp",state="waiting",.*\} 0$/m);
  const jobs = Array.from({ length: 10 }, () => ({ recordId: newId(), step: 0 }));
  await queues.addMany('low', jobs);
  t.match(await metrics(), /^queue_jobs\{queue="low",state="waiting",.*\} 10$/m);

  let begun = 0;
  startWorker(
    'low',
    async (_job, signal) => {
      begun += 1;
      if (!signal.aborted) await once(signal, 'abort');
    },
    own,
  );
  await waitFor(() => begun === 8, { withinMs: 20_000, what: 'as many as are done at once' });
  const text = await metrics();
  t.match(text, /^queue_jobs\{queue="low",state="active",.*\} 8$/m);
  t.match(text, /^queue_jobs\{queue="low",state="waiting",.*\} 2$/m);
  t.match(text, /^queue_jobs\{queue="otp",state="waiting",.*\} 0$/m);

  const fails = async () => {
    throw new Error('the stores are away');
  };
  startWorker('otp', fails, own);
  t.match(await metrics(), /^jobs_failed_total\{queue="otp",next="sweeper",.*\} 0$/m);
  await queues.add('otp', { recordId: newId(), step: 0 });
  await waitFor(async () => /^jobs_failed_total\{queue="otp",next="sweeper",.*\} 1$/m.test(await metrics()), {
    withinMs: 20_000,
    what: 'a job that is left to the sweeper',
  });
  t.match(await metrics(), /^jobs_failed_total\{queue="otp",next="try",.*\} 2$/m);
});

t.test('what a worker had that fell silent is taken from it, done, and counted', async (t) => {
  const { connections, keys, queues, done, startWorker } = await openParts(t);
  let calls = 0;
  startWorker('low', async (job, signal) => {
    calls += 1;
    if (calls > 1) done.push(job);
    else if (!signal.aborted) await once(signal, 'abort');
  });
  await queues.add('low', { recordId: 'left', step: 0 });
  await waitFor(() => calls === 1, { withinMs: 10_000, what: 'a worker with a job' });

  // As after four seconds without a sign of life.
  await connections.client.unlink(`${keys.queuePrefix('low')}:low:left-0:lock`);
  await arrives(done, 1);

  t.match(done, [{ recordId: 'left' }]);
  t.match(await telemetry.registry.metrics(), /^jobs_stalled_total\{queue="low",.*\} 1$/m);
});

t.test('without a server jobs are refused at once, and taken when it is back', async (t) => {
  const engine = await ownRedis(t);
  const { queues, done, startWorker } = await openParts(t, {
    ...settings,
    ...{ urls: sameUrl(engine.url) },
    isCluster: false,
    sentinels: undefined,
  });
  startWorker('otp');
  await queues.add('otp', { recordId: 'before', step: 0 });
  await arrives(done, 1);
  const own = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  createQueueMeter({ telemetry: own }).watch(queues, ['otp']);
  t.match(await own.registry.metrics(), /^queue_jobs\{queue="otp"/m);

  engine.faults.pause();
  await t.rejects(queues.add('otp', { recordId: 'hung', step: 0 }), { code: 'redis_unavailable' });
  engine.faults.resume();
  await engine.faults.kill9();
  await waitFor(() => !queues.isReady, { withinMs: 10_000, what: 'the lost connection' });
  t.notMatch(await own.registry.metrics(), /^queue_jobs\{/m, 'a depth that nobody knows is not told');
  await t.rejects(queues.add('otp', { recordId: 'away', step: 0 }), { code: 'redis_unavailable' });
  await engine.faults.restart();

  await waitFor(() => queues.add('otp', { recordId: 'after', step: 0 }).then(() => true), {
    withinMs: 20_000,
    what: 'a taken job',
  });
  await waitFor(() => done.some(({ recordId }) => recordId === 'after'), { withinMs: 20_000, what: 'the job' });
});

t.test('a Redis that evicts is refused', async (t) => {
  const engine = await ownRedis(t);
  const urls = sameUrl(engine.url);
  const own = { ...settings, urls, isCluster: false, sentinels: undefined };
  const { connections } = await openParts(t, own);
  await connections.client.call('config', 'set', 'maxmemory-policy', 'allkeys-lru');

  await t.rejects(connectQueues({ settings: own, log }), { name: 'ConfigError', message: /evicts/ });
});

function sameUrl(url: string) {
  return { live: url, queue: url, cache: url };
}
