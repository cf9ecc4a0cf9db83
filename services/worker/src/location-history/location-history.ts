import type { FollowedTrips } from '@hushryd/outreach/trail/followed-trips';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { publishPace, publishResend } from '@hushryd/tracking/history/durable-feed';
import type { HistoryStore } from '@hushryd/tracking/history/history-store';
import { createRaiseDurable } from '@hushryd/tracking/history/raise-durable';
import type { WorkerConfig } from '../config.ts';
import { createHistoryMetrics, createPartitionConsumer, type PartitionConsumer } from './consume-partition.ts';
import { createFixStream, type FixStream } from './fix-stream.ts';
import type { RoadFolder } from './fold-roads.ts';
import { insertInTurn } from './insert-in-turn.ts';
import { createPartitionLeases } from './partition-leases.ts';
import { createResendRequests } from './resend-requests.ts';
import { createBacklogWatch } from './watch-backlog.ts';

export interface LocationHistory {
  start(): void;
  close(): Promise<void>;
  /** Partitions this worker moves right now. */
  readonly partitions: ReadonlySet<number>;
}

/** Enough to keep a server busy while it waits for its disk. */
const insertsAtOnce = 4;
const fixesAtOnce = 1000;

/** The whole way of fixes from Redis into MongoDB, as far as this worker's share of the partitions goes. */
export function createLocationHistory({
  redis,
  keys,
  store,
  roads,
  followed,
  workerId,
  settings,
  telemetry,
  log,
}: {
  redis: RedisClient;
  keys: Keys;
  store: Pick<HistoryStore, 'insert'>;
  roads: RoadFolder;
  followed: Pick<FollowedTrips, 'alertOf' | 'noteStored'>;
  workerId: string;
  settings: WorkerConfig['history'];
  telemetry: Telemetry;
  log: Logger;
}): LocationHistory {
  const raiseDurable = createRaiseDurable({ redis, keys });
  const askForResend = createResendRequests({
    publish: (partition, missing) => publishResend({ redis, keys }, partition, missing),
  });
  const metrics = createHistoryMetrics(telemetry);
  const rejected = telemetry.counter({
    name: 'history_entries_rejected_total',
    help: 'Stream entries that could not be read',
  });
  const inTurn = insertInTurn(store, { atOnce: insertsAtOnce, fixesAtOnce });
  const consumers = new Map<number, PartitionConsumer>();
  const streams = new Map<number, FixStream>();

  const leases = createPartitionLeases({
    redis,
    keys,
    workerId,
    leaseMs: settings.leaseMs,
    log,
    onGained(partition) {
      const stream = createFixStream({
        redis,
        keys,
        partition,
        consumer: workerId,
        log,
        onRejected: () => rejected.inc(),
      });
      const consumer = createPartitionConsumer({
        partition,
        stream,
        store: inTurn,
        raiseDurable,
        alertOf: followed.alertOf,
        onStored(documents) {
          roads.add(documents);
          void followed.noteStored(documents);
        },
        onMissing: (missing) => askForResend(partition, missing),
        settings,
        metrics,
        log,
      });
      streams.set(partition, stream);
      consumers.set(partition, consumer);
      consumer.start();
    },
    async onLost(partition) {
      streams.delete(partition);
      await consumers.get(partition)?.close();
      consumers.delete(partition);
    },
  });

  const backlog = createBacklogWatch({
    streams,
    maxBytes: settings.streamMaxBytes,
    slowCadenceMs: settings.slowCadenceMs,
    publishPace: (partition, pace) => publishPace({ redis, keys }, partition, pace),
    telemetry,
    log,
  });

  return {
    start() {
      leases.start();
      backlog.start();
    },
    async close() {
      await backlog.close();
      await leases.close();
    },
    partitions: leases.held,
  };
}
