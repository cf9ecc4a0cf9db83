import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Queues } from '@hushryd/platform/queues/open-queues';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { type NotificationLane, notificationLanes } from './notification-document.ts';
import type { DueNotification, NotificationStore } from './notification-store.ts';
import type { ProcessNotification } from './process-notification.ts';

const dueASweep = 500;
/** A process that is held up may miss one answer of the queue; to send beside it then would hold it up more. */
const failuresUntilAway = 3;

/**
 * Sees to it that what is due moves: leaves a job for each record that is due and nobody has, whether Redis lost it, its moment has come,
 * or a worker died with it. A job that is there already stays one. Without a queue it sends by itself, in each lane as many at once as the
 * lane has processors, so that no lane waits for another.
 *
 * Every worker has one; there is no leader, since the claim decides. Closing it waits for what it sends.
 *
 * Cost: one query a lane a sweep, so that nothing urgent is hidden behind what is not.
 */
export function createNotificationSweep({
  store,
  queues,
  process,
  concurrency,
  everyMs,
  telemetry,
  log,
  now,
}: {
  store: Pick<NotificationStore, 'findDue'>;
  queues?: Pick<Queues, 'addMany' | 'isReady'> | undefined;
  process: ProcessNotification;
  concurrency: number;
  everyMs: number;
  telemetry: Telemetry;
  log: Logger;
  /** The database's clock. */
  now: () => number;
}): Periodic {
  const swept = telemetry.counter({
    name: 'notifications_swept_total',
    help: 'Due notifications that a sweeper found, by what it did: left a job, or sent by itself',
    labelNames: ['lane', 'by'],
  });
  const ending = new AbortController();
  let failedInARow = 0;
  /** Lanes in which this process sends by itself at the moment. */
  const busy = new Map<NotificationLane, Promise<void>>();

  async function run(): Promise<void> {
    for (const [lane, due] of await findByLane()) {
      if (due.length === 0 || (await leaveJobs(lane, due)) || busy.has(lane) || ending.signal.aborted) continue;
      const work = sendAll(lane, due).finally(() => busy.delete(lane));
      busy.set(lane, work);
    }
  }

  function findByLane(): Promise<[NotificationLane, DueNotification[]][]> {
    const nowMs = now();
    return Promise.all(
      notificationLanes.map(
        async (lane): Promise<[NotificationLane, DueNotification[]]> => [
          lane,
          await store.findDue({ lane, nowMs, limit: dueASweep }),
        ],
      ),
    );
  }

  /** @returns false where there is no queue to leave them in */
  async function leaveJobs(lane: NotificationLane, due: readonly DueNotification[]): Promise<boolean> {
    if (!queues?.isReady) return false;
    try {
      await queues.addMany(
        lane,
        due.map(({ recordId, step, correlationId }) => ({ recordId, step, correlationId })),
      );
    } catch (err) {
      failedInARow += 1;
      if (failedInARow < failuresUntilAway) return true;
      log.warn({ err, queueName: lane }, 'no jobs can be left, sending without the queue');
      return false;
    }
    failedInARow = 0;
    swept.inc({ lane, by: 'queue' }, due.length);
    return true;
  }

  async function sendAll(lane: NotificationLane, due: readonly DueNotification[]): Promise<void> {
    const waiting = [...due];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined && !ending.signal.aborted; next = waiting.shift()) {
        await process(next.recordId, ending.signal);
        swept.inc({ lane, by: 'sent' });
      }
    };
    try {
      await Promise.all(Array.from({ length: concurrency }, work));
    } catch (err) {
      log.warn({ err, queueName: lane }, 'sending without the queue failed, the next sweep goes on');
    }
  }

  const periodic = createPeriodic({ name: 'sweep notifications', everyMs, run, log });
  return {
    ...periodic,
    get failedCount() {
      return periodic.failedCount;
    },
    async close() {
      ending.abort();
      await periodic.close();
      await Promise.all(busy.values());
    },
  };
}
