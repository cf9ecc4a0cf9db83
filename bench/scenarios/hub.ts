import type { NotificationDocument } from '@hushryd/outreach/notifications/notification-document';
import { notificationsCollection } from '@hushryd/outreach/notifications/notification-store';
import { freePort } from '@hushryd/platform/engines/ports';
import { deadline } from '@hushryd/platform/mongo/deadline';
import type { Collection } from 'mongodb';
import type { BareBullmqCommands, BareRecords, VendorCall } from '../harness/contenders/bare-bullmq.ts';
import type { BenchMongo } from '../harness/engines.ts';
import { interleave } from '../harness/interleave.ts';
import { createLatencyHistogram, type LatencyHistogram } from '../harness/latency-histogram.ts';
import type { HubLoadCommands } from '../harness/load/hub-load.ts';
import { monotonicMs } from '../harness/load/monotonic.ts';
import { type Measurement, measure } from '../harness/measurement.ts';
import { formatNumber } from '../harness/print-table.ts';
import { createCpuMeter } from '../harness/processes/process-usage.ts';
import { readCounter } from '../harness/processes/read-metric.ts';
import { type HelperProcess, startHelper } from '../harness/processes/start-helper.ts';
import { type SandboxProcess, startSandbox } from '../harness/processes/start-sandbox.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { type ClosableScope, createScope } from '../harness/scope.ts';
import { sleepMs } from '../harness/sleep.ts';
import { createSystem, type System } from '../harness/system.ts';

const name = 'hub';
/** The worker's own setting, as it ships. */
const processors = 8;
const messages = 1_000;
const uncounted = 100;
const sentWithinMs = 120_000;
const lookEveryMs = 50;

const codes = { perSecond: 10, seconds: 6 };
/** More than the worker sends meanwhile. */
const backlog = 1_500;

/**
 * Notifications a second from the request to the stored outcome: record, job, claim, the provider's answer, what came of it. Beside it BullMQ alone
 * with as many jobs and processors, each of which makes the same HTTP call to the same sandbox and keeps nothing; and one that keeps the same record in
 * the same database, by a statement for each step. And how long a one-time code takes to
 * its provider while mail of the lowest class waits.
 */
export const hub: Scenario = {
  name,
  summary: 'notifications sent by a worker, against bare BullMQ; one-time codes beside a backlog',
  maxSeconds: 420,
  async run(stage) {
    const sandbox = await startSandbox(stage.scope, stage);
    return [...(await throughput(stage, sandbox)), ...(await codeLatency(stage, sandbox))];
  },
};

/** A system with its hub, which ends with its own scope. */
interface Hub {
  readonly scope: ClosableScope;
  readonly system: System;
  readonly mongo: BenchMongo;
  readonly records: Collection<NotificationDocument>;
  readonly load: HelperProcess<HubLoadCommands>;
}

/** Redis is emptied at the end of a hub, so there is one at a time. */
async function withHub<Result>(stage: Stage, work: (hub: Hub) => Promise<Result>): Promise<Result> {
  const scope = createScope((error) => stage.progress(`while ending: ${String(error)}`));
  stage.scope.teardown(() => scope.close());
  try {
    const mongo = await stage.engines.syncedMongo(scope);
    const system = await createSystem({ ...stage, scope }, { openMongo: async () => mongo });
    const load = await startHelper<HubLoadCommands>(scope, {
      module: new URL('../harness/load/hub-load', import.meta.url),
    });
    const { url, prefix } = system.redis;
    await load.call('open', {
      redis: { url, prefix },
      mongo: { url: mongo.url, database: mongo.database },
      fieldKeys: system.fieldKeys,
    });
    const records = mongo.client.db(mongo.database).collection<NotificationDocument>(notificationsCollection.name);
    return await work({ scope, system, mongo, records, load });
  } finally {
    await scope.close();
  }
}

function throughput(stage: Stage, sandbox: SandboxProcess): Promise<Measurement[]> {
  return withHub(stage, async (parts) => {
    const { scope, system, load } = parts;
    const metricsPort = await freePort();
    const worker = await system.startWorker(scope, { ...sandbox.environment, METRICS_PORT: String(metricsPort) });
    await sendTexts(parts, { count: uncounted, metricsPort });
    const records = await toBareRecords(parts);
    const call = toSms(sandbox.environment);
    const bare = await openBareQueue(scope, system, { name: 'bare', call });
    const keeping = await openBareQueue(scope, system, { name: 'keeping', call, records });
    await bare.send(uncounted);
    await keeping.send(uncounted);

    const corePercents: number[] = [];
    const samples = await interleave({
      rounds: stage.rounds,
      progress: stage.progress,
      contenders: {
        async ours() {
          const cpu = [worker.pid, load.pid, sandbox.pid].map(createCpuMeter);
          const perSecond = await sendTexts(parts, { count: messages, metricsPort });
          const percents = cpu.map((meter) => meter.percent());
          corePercents.push(percents[0] as number);
          stage.progress(`worker, recorder and sandbox took ${percents.map(formatNumber).join(', ')} % of a core`);
          return perSecond;
        },
        bullmq: () => bare.send(messages),
        keeping: () => keeping.send(messages),
      },
      describe: (perSecond) => `${formatNumber(perSecond)}/s`,
    });
    stage.note(`the worker used ${formatNumber(Math.max(...corePercents))} % of a core.`);
    return [
      measure({
        scenario: name,
        metric: 'notifications recorded, sent and kept',
        unit: '1/s',
        ours: samples.ours,
        baseline: { name: 'bare BullMQ, kept nowhere', samples: samples.bullmq },
        limits: [{ ratioAtLeast: 0.7 }],
      }),
      measure({
        scenario: name,
        metric: '… beside one that keeps as much',
        unit: '1/s',
        ours: samples.ours,
        baseline: { name: 'bare BullMQ, a statement each', samples: samples.keeping },
      }),
    ];
  });
}

/** From the first request to the last stored outcome. @throws Error where one was not accepted by the provider */
async function sendTexts(
  { records, load }: Hub,
  { count, metricsPort }: { count: number; metricsPort: number },
): Promise<number> {
  // Not asked of the database: the embedded engine takes long for it, and would have less time for what is measured.
  const countEnded = () => readCounter(metricsPort, 'notifications_ended_total');
  const before = await countEnded();
  await records.deleteMany({}, deadline(60_000));
  const startMs = monotonicMs();
  await load.call('recordTexts', { count });
  while ((await countEnded()) < before + count) {
    if (monotonicMs() > startMs + sentWithinMs) throw new Error('not all notifications were sent in time');
    await sleepMs(lookEveryMs);
  }
  const perSecond = (count * 1_000) / (monotonicMs() - startMs);
  const accepted = await records.countDocuments({ state: 'accepted' }, deadline(30_000));
  if (accepted !== count) throw new Error(`${accepted} of ${count} notifications were accepted`);
  return perSecond;
}

/** As one of ours was when it was asked for, and what has come to it since. */
async function toBareRecords({ records, mongo: { url, database } }: Hub): Promise<BareRecords> {
  const record = await records.findOne({}, deadline(5_000));
  if (record === null) throw new Error('there is no record to copy');
  const { createdAt, state, nextAt, attempts } = record;
  return {
    ...{ url, database, collection: 'bare_records', indexes: notificationsCollection.indexes },
    asked: { ...record, state: 'queued', nextAt: createdAt, attempts: [] },
    sent: { state, nextAt, attempts, leaseUntil: createdAt, starts: 0 },
  };
}

/** Twilio's API, as its client asks it for a text. */
function toSms(environment: SandboxProcess['environment']): VendorCall {
  const {
    TWILIO_BASE_URL: url,
    TWILIO_ACCOUNT_SID: account,
    TWILIO_AUTH_TOKEN: token,
    TWILIO_FROM: from,
  } = environment;
  const credentials = Buffer.from(`${account}:${token}`).toString('base64');
  return {
    url: `${url}/2010-04-01/Accounts/${account}/Messages.json`,
    headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ To: '+919810000000', Body: 'Asha has arrived.', From: from as string }).toString(),
    status: 201,
  };
}

async function openBareQueue(
  scope: ClosableScope,
  system: System,
  { name, call, records }: { name: string; call: VendorCall; records?: BareRecords },
) {
  const module = new URL('../harness/contenders/bare-bullmq', import.meta.url);
  const adder = await startHelper<BareBullmqCommands>(scope, { module });
  const worker = await startHelper<BareBullmqCommands>(scope, { module });
  const place = { redisUrl: system.redis.url, prefix: `${system.redis.prefix}{${name}}`, records };
  await adder.call('openQueue', place);
  await worker.call('openWorker', { ...place, concurrency: processors, call });
  return {
    async send(count: number): Promise<number> {
      await adder.call('removeRecords');
      const startMs = monotonicMs();
      const [endMs] = await Promise.all([worker.call('finish', { count }), adder.call('add', { count })]);
      return (count * 1_000) / (endMs - startMs);
    },
  };
}

async function codeLatency(stage: Stage, sandbox: SandboxProcess): Promise<Measurement[]> {
  const samples = await interleave({
    rounds: stage.rounds,
    progress: stage.progress,
    contenders: {
      beside: () => sendCodes(stage, sandbox, backlog),
      alone: () => sendCodes(stage, sandbox, 0),
    },
    describe: (latencies) =>
      `codes p50 ${formatNumber(latencies.percentile(0.5))} ms, p99 ${formatNumber(latencies.percentile(0.99))} ms`,
  });
  const row = (metric: string, share: number) =>
    measure({
      scenario: name,
      metric,
      unit: 'ms',
      ours: samples.beside.map((latencies) => latencies.percentile(share)),
      baseline: { name: 'nothing else waits', samples: samples.alone.map((latencies) => latencies.percentile(share)) },
    });
  return [
    row(`code asked for → provider called, beside ${backlog.toLocaleString('en')} mails, p50`, 0.5),
    row('… p99', 0.99),
  ];
}

/** @throws Error where the backlog was gone before the last code, or a code never came */
function sendCodes(stage: Stage, sandbox: SandboxProcess, mails: number): Promise<LatencyHistogram> {
  return withHub(stage, async ({ scope, system, records, load }) => {
    await load.call('recordBulk', { count: mails });
    const before = await readMessages(sandbox, Number.MAX_SAFE_INTEGER);
    // Started last: it finds the mails waiting.
    await system.startWorker(scope, sandbox.environment);
    const count = codes.perSecond * codes.seconds;
    const dueAtMs = await load.call('sendCodes', { count, perSecond: codes.perSecond });
    const left = await records.countDocuments({ isOpen: true, lane: 'low' }, deadline(5_000));
    if (mails > 0 && left === 0) throw new Error('the mails were gone before the last code');

    const latencies = createLatencyHistogram();
    for (const untilMs = monotonicMs() + sentWithinMs; latencies.count < count; await sleepMs(lookEveryMs)) {
      const { messages: codesSent } = await readMessages(sandbox, before.lastSeq);
      for (const { recipient, receivedAtMs } of codesSent) {
        const dueMs = dueAtMs[recipient];
        if (dueMs === undefined) continue;
        delete dueAtMs[recipient];
        latencies.record(receivedAtMs - dueMs);
      }
      if (monotonicMs() > untilMs) throw new Error(`${count - latencies.count} codes never came`);
    }
    return latencies;
  });
}

interface SentMessages {
  readonly lastSeq: number;
  readonly messages: readonly { readonly recipient: string; readonly receivedAtMs: number }[];
}

async function readMessages({ url }: SandboxProcess, since: number): Promise<SentMessages> {
  const response = await fetch(`${url}/sandbox/messages?channel=sms&since=${since}`, {
    signal: AbortSignal.timeout(10_000),
  });
  return (await response.json()) as SentMessages;
}
