import { createAlertMetrics } from '@hushryd/outreach/alerts/alert-metrics';
import { alertCrashPoints } from '@hushryd/outreach/alerts/crash-points';
import { type Dispatch, openDispatch } from '@hushryd/outreach/dispatch/open-dispatch';
import { openSosQueue } from '@hushryd/outreach/dispatch/sos-queue';
import { createCrashPoints } from '@hushryd/platform/lifecycle/crash-points';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import type { Logger } from '@hushryd/platform/logging/logger';
import { connectMongo } from '@hushryd/platform/mongo/connect';
import type { QueueMeter } from '@hushryd/platform/queues/queue-meter';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { WorkerConfig } from '../config.ts';
import type { Delivery } from '../open-delivery.ts';

/**
 * Sends alerts: processors of their queue, and a sweeper that finds what no job came for. On connections of its own, so that nothing else
 * of this process makes an alert wait.
 *
 * @throws ConfigError for a Redis that evicts
 */
export async function startAlerts({
  config,
  delivery: { providers, desk },
  queueMeter,
  redis,
  keys,
  lifecycle,
  telemetry,
  log,
}: {
  config: Pick<WorkerConfig, 'mongo' | 'sosRedis' | 'fieldKeys' | 'crash' | 'delivery' | 'dispatch' | 'notifications'>;
  delivery: Delivery;
  queueMeter: QueueMeter;
  redis: RedisClient;
  keys: Keys;
  lifecycle: Lifecycle;
  telemetry: Telemetry;
  log: Logger;
}): Promise<Dispatch> {
  const { dispatch: settings, mongo, notifications } = config;
  const pool = connectMongo({
    settings: { ...mongo, poolSize: settings.poolSize, minPoolSize: Math.min(1, mongo.minPoolSize) },
    log,
  });
  lifecycle.add('mongodb of alerts', () => pool.close());
  const opened = openDispatch({
    db: pool.db,
    redis,
    keys,
    fieldKeys: config.fieldKeys,
    providers,
    desk,
    settings,
    delivery: config.delivery,
    vendors: notifications,
    alertMetrics: createAlertMetrics(telemetry),
    crashAt: createCrashPoints({ points: alertCrashPoints, setting: config.crash }),
    telemetry,
    log,
  });
  opened.start();
  lifecycle.add('alerts', () => opened.close());

  if (notifications.usesQueue) {
    const queue = await openSosQueue({ settings: config.sosRedis, log });
    lifecycle.add('queue of alerts', () => queue.close());
    queueMeter.watch(queue.queues, ['sos']);
    const worker = queue.work({ dispatch: opened.dispatch, processors: settings.processors, telemetry });
    lifecycle.add('processors of alerts', () => worker.close());
  }
  return opened;
}
