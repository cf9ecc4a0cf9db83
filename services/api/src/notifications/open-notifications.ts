import { notificationLanes } from '@hushryd/outreach/notifications/notification-document';
import { createNotificationMetrics } from '@hushryd/outreach/notifications/notification-metrics';
import { createNotificationStore, type NotificationStore } from '@hushryd/outreach/notifications/notification-store';
import { createNotify, type Notify } from '@hushryd/outreach/notifications/notify';
import { createPreferencesStore, type PreferencesStore } from '@hushryd/outreach/notifications/preferences-store';
import { createReadVoicePrompt, type ReadVoicePrompt } from '@hushryd/outreach/notifications/read-voice-prompt';
import { createMarkSeen, createTakeReceipt, type MarkSeen } from '@hushryd/outreach/notifications/take-receipt';
import { createWebhookDesk, type TakeReceipt, type WebhookDesk } from '@hushryd/outreach/webhooks/take-webhook';
import { createWebhookStore } from '@hushryd/outreach/webhooks/webhook-store';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import type { Logger } from '@hushryd/platform/logging/logger';
import { createDatabaseClock } from '@hushryd/platform/mongo/database-clock';
import { connectQueues } from '@hushryd/platform/queues/connect-queues';
import { openQueues, type Queues } from '@hushryd/platform/queues/open-queues';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { Providers } from '@hushryd/providers/providers';
import type { WebhookKeys } from '@hushryd/providers/receipts/verify-webhook';
import type { Db } from 'mongodb';
import type { ApiConfig } from '../config.ts';

/** What the api does with notifications: it records them, and hears what became of them. Workers send. */
export interface Notifications {
  store: NotificationStore;
  preferences: PreferencesStore;
  markSeen: MarkSeen;
  /** Absent where no company that carries messages is set up. */
  notify: Notify | undefined;
  queues: Queues | undefined;
  /** The database's clock. */
  now: () => number;
  webhooks: WebhookDesk;
  webhookKeys: WebhookKeys;
  /** How vendors know our address; undefined where they know it by the request's own host. */
  webhookBaseUrl: string | undefined;
  /** What calls of companies that ask while they last are to say, each for its own attempts. */
  voicePrompts: ReadVoicePrompt[];
  /** Who hears of receipts, in this order; whoever else sends is added to them. */
  takers: TakeReceipt[];
  /** Who takes receipts while the database is away. */
  directTakers: TakeReceipt[];
}

/** @throws ConfigError for a Redis for queues that evicts */
export async function openNotifications(
  config: Pick<ApiConfig, 'redis' | 'fieldKeys' | 'notifications'>,
  {
    db,
    deadlineMs,
    keys,
    providers,
    redisWithinMs,
    lifecycle,
    telemetry,
    log,
  }: {
    db: Db;
    deadlineMs: number;
    keys: Keys;
    providers: Providers;
    /** How long the queues' Redis is waited for. */
    redisWithinMs: number | undefined;
    lifecycle: Lifecycle;
    telemetry: Telemetry;
    log: Logger;
  },
): Promise<Notifications> {
  const { notifications: settings } = config;
  const { webhookKeys } = providers;
  const cipher = createFieldCipher(config.fieldKeys);
  const queues = providers.hasCarriers && settings.usesQueue ? await openLanes() : undefined;
  const store = createNotificationStore({ db, deadlineMs });
  const preferences = createPreferencesStore({ db, deadlineMs });
  const metrics = createNotificationMetrics(telemetry);
  const clock = createDatabaseClock({ db, deadlineMs, log, telemetry });
  lifecycle.add('database clock', () => clock.close());
  // The database may be away at the start: nothing can be recorded then, and nobody waits for it.
  void clock.start();
  const { now } = clock;
  const directTakers: TakeReceipt[] = [];
  const takers = [createTakeReceipt({ store, settings, metrics, now })];

  async function openLanes(): Promise<Queues> {
    const connections = await connectQueues({ settings: config.redis, log, connectTimeoutMs: redisWithinMs });
    lifecycle.add('queue connections', () => connections.close());
    const opened = openQueues({ connections, keys, names: notificationLanes, log });
    lifecycle.add('queues', () => opened.close());
    return opened;
  }

  return {
    store,
    preferences,
    markSeen: createMarkSeen({ store, settings, metrics, now }),
    notify: providers.hasCarriers
      ? createNotify({ store, queues, preferences, cipher, settings, telemetry, log, now })
      : undefined,
    queues,
    now,
    webhooks: createWebhookDesk({
      keys: webhookKeys,
      store: createWebhookStore({ db, deadlineMs }),
      takers,
      directTakers,
      telemetry,
      log,
      now,
    }),
    webhookKeys,
    webhookBaseUrl: settings.webhookBaseUrl,
    voicePrompts: [createReadVoicePrompt({ store, cipher })],
    takers,
    directTakers,
  };
}
