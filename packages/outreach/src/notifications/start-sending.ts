import type { Logger } from '@hushryd/platform/logging/logger';
import type { QueueConnections } from '@hushryd/platform/queues/connect-queues';
import type { Queues } from '@hushryd/platform/queues/open-queues';
import { openWorker } from '@hushryd/platform/queues/open-worker';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { notificationLanes } from './notification-document.ts';
import type { NotificationSettings } from './notification-settings.ts';
import type { NotificationStore } from './notification-store.ts';
import type { ProcessNotification } from './process-notification.ts';
import { createNotificationSweep } from './sweep-notifications.ts';

export interface Sending {
  /** Takes up nothing new, and waits for what is under way. */
  close(): Promise<void>;
}

/** Processors for every lane, and a sweeper. Any number of processes may do this. */
export function startSending({
  store,
  queue,
  process,
  settings,
  telemetry,
  log,
  now,
}: {
  store: Pick<NotificationStore, 'findDue'>;
  /** Without it the sweepers send. */
  queue?: { connections: QueueConnections; queues: Queues; keys: Pick<Keys, 'queuePrefix'> } | undefined;
  process: ProcessNotification;
  settings: Pick<NotificationSettings, 'processors' | 'sweepMs'>;
  telemetry: Telemetry;
  log: Logger;
  /** The database's clock. */
  now: () => number;
}): Sending {
  const { processors: concurrency, sweepMs: everyMs } = settings;
  const workers = notificationLanes.flatMap((name) =>
    queue === undefined
      ? []
      : openWorker({
          ...queue,
          name,
          concurrency,
          process: ({ recordId }, signal) => process(recordId, signal),
          log,
          telemetry,
        }),
  );
  const queues = queue?.queues;
  const sweep = createNotificationSweep({ store, queues, process, concurrency, everyMs, telemetry, log, now });
  sweep.start();
  return {
    async close() {
      await Promise.all([sweep, ...workers].map((part) => part.close()));
    },
  };
}
