import { notificationLanes } from '@hushryd/outreach/notifications/notification-document';
import { createNotificationMetrics } from '@hushryd/outreach/notifications/notification-metrics';
import { createNotificationStore } from '@hushryd/outreach/notifications/notification-store';
import { createProcessNotification } from '@hushryd/outreach/notifications/process-notification';
import { startSending } from '@hushryd/outreach/notifications/start-sending';
import { createTakeReceipt } from '@hushryd/outreach/notifications/take-receipt';
import {
  createPendingReceiptsSweep,
  createWebhookDesk,
  type TakeReceipt,
} from '@hushryd/outreach/webhooks/take-webhook';
import { createWebhookStore } from '@hushryd/outreach/webhooks/webhook-store';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import type { Logger } from '@hushryd/platform/logging/logger';
import { connectQueues } from '@hushryd/platform/queues/connect-queues';
import { openQueues } from '@hushryd/platform/queues/open-queues';
import type { QueueMeter } from '@hushryd/platform/queues/queue-meter';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { Db } from 'mongodb';
import type { WorkerConfig } from '../config.ts';
import type { Delivery } from '../open-delivery.ts';

/**
 * Sends notifications: processors of their queues, sweepers, and receipts that were kept and had no effect yet.
 *
 * @param takers of receipts, before the notifications
 * @throws ConfigError for a Redis for queues that evicts
 */
export async function startNotifications({
  config,
  delivery: { providers, desk, now },
  queueMeter,
  takers,
  keys,
  db,
  lifecycle,
  telemetry,
  log,
}: {
  config: Pick<WorkerConfig, 'redis' | 'mongo' | 'fieldKeys' | 'delivery' | 'notifications'>;
  delivery: Delivery;
  queueMeter: QueueMeter;
  takers: readonly TakeReceipt[];
  keys: Keys;
  db: Db;
  lifecycle: Lifecycle;
  telemetry: Telemetry;
  log: Logger;
}): Promise<void> {
  const { delivery, notifications: settings } = config;
  if (!providers.hasCarriers) {
    log.info({}, 'no notifications are sent, no company that carries them is set up');
    return;
  }
  const connections = settings.usesQueue ? await connectQueues({ settings: config.redis, log }) : undefined;
  if (connections !== undefined) lifecycle.add('queue connections', () => connections.close());
  const queues = connections && openQueues({ connections, keys, names: notificationLanes, log });
  if (queues !== undefined) {
    lifecycle.add('queues', () => queues.close());
    queueMeter.watch(queues, notificationLanes);
  }

  const store = createNotificationStore({ db, deadlineMs: config.mongo.deadlineMs });
  const metrics = createNotificationMetrics(telemetry);
  const process = createProcessNotification({
    store,
    desk,
    providers,
    cipher: createFieldCipher(config.fieldKeys),
    settings: { ...settings, deadlineMs: delivery.deadlineMs },
    metrics,
    log,
    now,
  });
  const webhooks = createWebhookDesk({
    keys: providers.webhookKeys,
    store: createWebhookStore({ db, deadlineMs: config.mongo.deadlineMs }),
    takers: [...takers, createTakeReceipt({ store, settings, metrics, now })],
    telemetry,
    log,
    now,
  });
  const receipts = createPendingReceiptsSweep({ desk: webhooks, everyMs: settings.sweepMs * 5, log });
  receipts.start();
  lifecycle.add('receipts', () => receipts.close());

  const queue = connections && queues && { connections, queues, keys };
  const sending = startSending({ store, queue, process, settings, telemetry, log, now });
  lifecycle.add('notifications', () => sending.close());
}
