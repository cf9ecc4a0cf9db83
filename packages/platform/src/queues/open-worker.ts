import { Worker } from 'bullmq';
import { raceTimer } from '../lifecycle/race-timer.ts';
import type { Logger } from '../logging/logger.ts';
import type { Keys } from '../redis/keys.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { QueueConnections } from './connect-queues.ts';
import type { JobReference } from './job-reference.ts';
import type { QueueName } from './queue-names.ts';

export interface QueueWorker {
  /** Takes no new job, tells those under way to end, and waits for them at most `withinMs`. */
  close(withinMs?: number): Promise<void>;
}

/**
 * Recovery within 5 s of a worker's death, every time (measured: 4.4 s; BullMQ's own settings: 60 s, and a second death fails the job
 * for good). A job that was taken up so often is left to the sweeper.
 */
const lockMs = 4_000;
const stalledCheckMs = 1_000;
const maxStalledCount = 10;

/**
 * Processors of one queue.
 *
 * `process` may be called twice for one job, and at the same time, where a worker was held up: the record decides who works.
 *
 * @param concurrency jobs at once in this process
 * @param process rejects where the stores do not answer; BullMQ tries again then (open-queues.ts). Its signal is aborted when the worker
 *   closes, or before it starts: BullMQ lets a job start that was fetched just then
 */
export function openWorker({
  connections,
  keys,
  name,
  concurrency,
  process,
  log,
  telemetry,
}: {
  connections: QueueConnections;
  keys: Pick<Keys, 'queuePrefix'>;
  name: QueueName;
  concurrency: number;
  process: (job: JobReference, signal: AbortSignal) => Promise<void>;
  log: Logger;
  telemetry?: Telemetry | undefined;
}): QueueWorker {
  const stalled = telemetry?.counter({
    name: 'jobs_stalled_total',
    help: 'Jobs that were taken from a worker which had died or fallen silent',
    labelNames: ['queue'],
  });
  stalled?.inc({ queue: name }, 0);
  // BullMQ keeps none that has failed (open-queues.ts), so that here is the only place to count them.
  const failed = telemetry?.counter({
    name: 'jobs_failed_total',
    help: 'Runs of jobs that failed, by what comes next: another try of the queue, or a sweeper',
    labelNames: ['queue', 'next'],
  });
  for (const next of ['try', 'sweeper'] as const) failed?.inc({ queue: name, next }, 0);
  const closing = new AbortController();
  const worker = new Worker<JobReference, void>(name, (job) => process(job.data, closing.signal), {
    connection: connections.client,
    prefix: keys.queuePrefix(name),
    concurrency,
    lockDuration: lockMs,
    stalledInterval: stalledCheckMs,
    maxStalledCount,
    skipVersionCheck: true,
  });
  worker.on('error', (err) => log.debug({ err, queueName: name }, 'worker failed'));
  worker.on('failed', (job, err) => {
    failed?.inc({ queue: name, next: job !== undefined && job.finishedOn === undefined ? 'try' : 'sweeper' });
    log.warn({ err, queueName: name, ...idsOf(job?.data), attempt: job?.attemptsMade }, 'job failed');
  });
  worker.on('stalled', () => {
    stalled?.inc({ queue: name });
    log.warn({ queueName: name }, 'a job was taken from a worker that has fallen silent');
  });
  return {
    async close(withinMs = 8_000) {
      closing.abort();
      await raceTimer(worker.close(), withinMs, () => {
        // Not awaited: BullMQ waits for connections first, and one that is gone never comes.
        worker.disconnect().catch(() => undefined);
      });
    },
  };
}

const idsOf = (job: JobReference | undefined) => ({ recordId: job?.recordId, correlationId: job?.correlationId });
