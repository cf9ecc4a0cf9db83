import type { RedisSettings } from '@hushryd/platform/config/shared-environment';
import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { Logger } from '@hushryd/platform/logging/logger';
import { connectQueues } from '@hushryd/platform/queues/connect-queues';
import { openQueues, type Queues } from '@hushryd/platform/queues/open-queues';
import { openWorker, type QueueWorker } from '@hushryd/platform/queues/open-worker';
import { createKeys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { DispatchAlert } from './dispatch-alert.ts';

export interface SosQueue {
  /** Says that an alert is there whose operators have been told. Never throws, ends within 150 ms: the sweepers find it without. */
  hint(alert: Pick<AlertDocument, '_id' | 'correlationId'>): Promise<void>;
  /** For whoever shows how much lies in it. */
  queues: Pick<Queues, 'count'>;
  /** Processors of this process. */
  work(input: { dispatch: DispatchAlert; processors: number; telemetry: Telemetry }): QueueWorker;
  close(): Promise<void>;
}

/** Redis gets no longer than this on the way of an alert. Source: design §9. */
const hintWithinMs = 150;

/**
 * The queue of alerts, on a connection of its own: the fast path, and nothing more.
 *
 * @throws ConfigError for a Redis that evicts
 */
export async function openSosQueue({
  settings,
  connectTimeoutMs,
  log,
}: {
  settings: RedisSettings;
  connectTimeoutMs?: number | undefined;
  log: Logger;
}): Promise<SosQueue> {
  const keys = createKeys(settings);
  const connections = await connectQueues({ settings, connectTimeoutMs, log });
  const queues = openQueues({ connections, keys, names: ['sos'], log, deadlineMs: hintWithinMs });
  return {
    queues,
    async hint({ _id: recordId, correlationId }) {
      const added = queues.add('sos', { recordId, step: 0, ...(correlationId !== undefined && { correlationId }) });
      await raceTimer(added, hintWithinMs, () => undefined).catch((err: unknown) =>
        log.debug({ err, alertId: recordId, correlationId }, 'no job for an alert, the sweeper finds it'),
      );
    },
    work: ({ dispatch, processors, telemetry }) =>
      openWorker({
        connections,
        keys,
        name: 'sos',
        concurrency: processors,
        process: ({ recordId }) => dispatch(recordId, { areOperatorsTold: true }),
        log,
        telemetry,
      }),
    async close() {
      await queues.close();
      await connections.close();
    },
  };
}
