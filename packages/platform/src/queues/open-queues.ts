import { Queue } from 'bullmq';
import { AppError } from '../errors/app-error.ts';
import { raceTimer } from '../lifecycle/race-timer.ts';
import type { Logger } from '../logging/logger.ts';
import type { Keys } from '../redis/keys.ts';
import { toRedisError } from '../redis/unavailable.ts';
import type { QueueConnections } from './connect-queues.ts';
import { type JobReference, jobIdOf } from './job-reference.ts';
import type { QueueName } from './queue-names.ts';

/** Of what lies in a queue; `delayed` waits for its next try. What has failed is gone from it, see `jobOptions`. */
export type QueueCounts = Readonly<Record<'waiting' | 'active' | 'delayed', number>>;

export interface Queues {
  /** False where adding would fail at once. */
  readonly isReady: boolean;
  /** @throws AppError `redis_unavailable` within `deadlineMs`; the job may have been added all the same */
  add(queue: QueueName, job: JobReference): Promise<void>;
  addMany(queue: QueueName, jobs: readonly JobReference[]): Promise<void>;
  /** @throws AppError `redis_unavailable` */
  count(queue: QueueName): Promise<QueueCounts>;
  close(): Promise<void>;
}

/**
 * What is left of a job: nothing. What became of it stands in its record, and an id that is kept would make BullMQ drop the next job of
 * the same step in silence. `attempts` are for stores that are away while a job runs; then the sweeper's turn comes.
 */
const jobOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 250, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: true,
} as const;

const closeWithinMs = 2_000;

/**
 * The queues that a process leaves jobs in. The same step of a record added twice is one job.
 *
 * @param deadlineMs of each call: nobody waits for a hint
 */
export function openQueues({
  connections,
  keys,
  names,
  log,
  deadlineMs = 500,
}: {
  connections: QueueConnections;
  keys: Pick<Keys, 'queuePrefix'>;
  names: readonly QueueName[];
  log: Logger;
  deadlineMs?: number;
}): Queues {
  const queues = new Map(
    names.map((name) => {
      const queue = new Queue<JobReference>(name, {
        connection: connections.client,
        prefix: keys.queuePrefix(name),
        defaultJobOptions: jobOptions,
        skipVersionCheck: true,
      });
      // The connection logs its own; without a listener BullMQ writes bare stacks.
      queue.on('error', (err) => log.debug({ err, queueName: name }, 'queue failed'));
      return [name, queue] as const;
    }),
  );
  const queueOf = (name: QueueName): Queue<JobReference> => {
    const queue = queues.get(name);
    if (queue === undefined) throw new Error(`The queue ${name} was not opened`);
    return queue;
  };

  /** A command sent while the server is away would wait in this process, without end and without bound. */
  async function bounded<Result>(work: () => Promise<Result>): Promise<Result> {
    if (!connections.isReady) throw new AppError('redis_unavailable', { detail: 'not sent' });
    try {
      return await raceTimer(work(), deadlineMs, (): never => {
        throw new AppError('redis_unavailable', { detail: `no answer of the queue within ${deadlineMs} ms` });
      });
    } catch (error) {
      throw toRedisError(error);
    }
  }

  return {
    get isReady() {
      return connections.isReady;
    },
    async add(name, job) {
      await bounded(() => queueOf(name).add(name, job, { jobId: jobIdOf(job) }));
    },
    async addMany(name, jobs) {
      if (jobs.length === 0) return;
      const entries = jobs.map((job) => ({ name, data: job, opts: { jobId: jobIdOf(job) } }));
      await bounded(() => queueOf(name).addBulk(entries));
    },
    async count(name) {
      const counts = await bounded(() => queueOf(name).getJobCounts('wait', 'active', 'delayed'));
      const { wait: waiting = 0, active = 0, delayed = 0 } = counts;
      return { waiting, active, delayed };
    },
    async close() {
      const closed = Promise.all([...queues.values()].map((queue) => queue.close().catch(() => undefined)));
      // BullMQ waits for its connection first, and one that is gone never comes.
      await raceTimer(closed, closeWithinMs, () => undefined);
    },
  };
}
