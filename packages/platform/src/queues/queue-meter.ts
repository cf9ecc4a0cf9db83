import type { Telemetry } from '../telemetry/telemetry.ts';
import type { QueueCounts, Queues } from './open-queues.ts';
import type { QueueName } from './queue-names.ts';

/** Shows how many jobs lie in queues. */
export interface QueueMeter {
  /** From now on these are counted too. */
  watch(queues: Pick<Queues, 'count'>, names: readonly QueueName[]): void;
}

/**
 * Every process that watches a queue tells the same of it: take the greatest, not the sum. What could not be counted has no value. What has
 * failed does not lie in a queue, see `jobs_failed_total` (open-worker.ts).
 *
 * Cost: one script a queue, a few lengths each, when somebody collects the metrics; nothing in between.
 */
export function createQueueMeter({ telemetry }: { telemetry: Telemetry }): QueueMeter {
  const watched = new Map<QueueName, Pick<Queues, 'count'>>();
  telemetry.gauge({
    name: 'queue_jobs',
    help: 'Jobs that lie in a queue, over all processes, by what they wait for; every process that tells it tells the same',
    labelNames: ['queue', 'state'],
    async collect() {
      const counted = await Promise.allSettled(
        [...watched].map(async ([queue, queues]) => ({ queue, counts: await queues.count(queue) })),
      );
      // A queue that does not answer has no depth, least of all the one from before.
      this.reset();
      for (const one of counted) {
        if (one.status === 'rejected') continue;
        const { queue, counts } = one.value;
        for (const state of states) this.set({ queue, state }, counts[state]);
      }
    },
  });
  return {
    watch(queues, names) {
      for (const name of names) watched.set(name, queues);
    },
  };
}

const states = ['waiting', 'active', 'delayed'] as const satisfies readonly (keyof QueueCounts)[];
