import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createDatabaseClock } from '@hushryd/platform/mongo/database-clock';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { connectQueues } from '@hushryd/platform/queues/connect-queues';
import { openQueues } from '@hushryd/platform/queues/open-queues';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { TestMongo, TestRedis, TestScope } from '@hushryd/platform/testing/engines';
import { createTestCrypto } from '@hushryd/platform/testing/field-keys';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createProviders } from '@hushryd/providers/providers';
import { providersEnvironment } from '@hushryd/providers/providers-environment';
import type { TellingProvider } from '@hushryd/providers/receipts/verify-webhook';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import Type from 'typebox';
import { createDeliveryDesk } from '../src/delivery/delivery.ts';
import { deliveryEnvironment, toDeliverySettings } from '../src/delivery/delivery-settings.ts';
import { createScorecards } from '../src/delivery/scorecards.ts';
import { type NotificationDocument, notificationLanes } from '../src/notifications/notification-document.ts';
import { createNotificationMetrics } from '../src/notifications/notification-metrics.ts';
import { notificationsEnvironment, toNotificationSettings } from '../src/notifications/notification-settings.ts';
import { createNotificationStore, notificationsCollection } from '../src/notifications/notification-store.ts';
import { createNotify } from '../src/notifications/notify.ts';
import { createPreferencesStore, preferencesCollection } from '../src/notifications/preferences-store.ts';
import { createProcessNotification } from '../src/notifications/process-notification.ts';
import { createSendOtp } from '../src/notifications/send-otp.ts';
import { startSending } from '../src/notifications/start-sending.ts';
import { createMarkSeen, createTakeReceipt } from '../src/notifications/take-receipt.ts';
import { createPendingReceiptsSweep, createWebhookDesk } from '../src/webhooks/take-webhook.ts';
import { createWebhookStore, webhookEventsCollection } from '../src/webhooks/webhook-store.ts';

const environment = Type.Object({ ...providersEnvironment, ...deliveryEnvironment, ...notificationsEnvironment });

/** Timers short enough for tests; the proportions are those of production. */
export const quickVariables = {
  PROVIDER_DEADLINE_MS: '700',
  PROVIDER_BACKOFF_MS: '20',
  NOTIFICATION_SWEEP_MS: '50',
  NOTIFICATION_RECEIPT_WAIT_MS: '2000',
  NOTIFICATION_ROUND_PAUSE_MS: '100',
  MSG91_TEMPLATES: ['otp', 'contact_verify', 'ride_started', 'ride_ended', 'sos_alert', 'sos_resolved', 'on_call_page']
    .flatMap((name) => [`${name}.en=dlt-${name}-en`, `${name}.hi=dlt-${name}-hi`])
    .join(','),
  WHATSAPP_TEMPLATES: 'otp=one_time_code,ride_started=ride_started,contact_verify=contact_verify',
};

export type Hub = Awaited<ReturnType<typeof openHub>>;

export const phone = () => `+9198${randomInt(10_000_000, 99_999_999)}`;
export const newKey = () => randomBytes(9).toString('base64url');

/** All of notifications in this process, on real stores and the sandbox, ended with the test. */
export async function openHub(
  t: TestScope,
  { redis, mongo }: { redis: TestRedis; mongo: TestMongo },
  variables: Record<string, string> = {},
  { receiptDelayMs = 20 } = {},
) {
  const lines: string[] = [];
  const log = createLogger({
    service: 'test',
    instanceId: 'test',
    level: 'debug',
    destination: { write: (line) => void lines.push(line) },
  });
  const telemetry = createTelemetry({ service: 'test', instanceId: newKey(), withProcessMetrics: false });
  await ensureCollections(mongo.db, [notificationsCollection, preferencesCollection, webhookEventsCollection]);

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/webhooks`;
  const sandbox = await startSandbox({ webhookBaseUrl: baseUrl, receiptDelayMs });
  t.teardown(async () => {
    await sandbox.close();
    server.closeAllConnections();
    server.close();
  });

  const values = readEnvironment(environment, {
    ...quickVariables,
    WEBHOOK_BASE_URL: baseUrl,
    ...sandbox.environment,
    ...variables,
  });
  const settings = toNotificationSettings(values);
  const delivery = toDeliverySettings(values);
  const providers = createProviders(values);
  await providers.warmUp();
  const own = redis.settings();
  const keys = createKeys({ ...own, prefix: `${own.prefix}${newKey()}:` });
  const connections = settings.usesQueue ? await connectQueues({ settings: own, log }) : undefined;
  const queues = connections && openQueues({ connections, keys, names: notificationLanes, log });

  const store = createNotificationStore({ db: mongo.db });
  const clock = createDatabaseClock({ db: mongo.db, log });
  await clock.start();
  const { now } = clock;
  const preferences = createPreferencesStore({ db: mongo.db });
  const { cipher } = createTestCrypto();
  const metrics = createNotificationMetrics(telemetry);
  const scorecards = createScorecards({ telemetry });
  const desk = createDeliveryDesk({ settings: delivery, scorecards, telemetry, log, now });
  const process = createProcessNotification({
    store,
    desk,
    providers,
    cipher,
    settings: { ...settings, deadlineMs: delivery.deadlineMs },
    metrics,
    log,
    now,
  });
  const webhookStore = createWebhookStore({ db: mongo.db });
  const takeReceipt = createTakeReceipt({ store, settings, metrics, now });
  const webhooks = createWebhookDesk({
    keys: providers.webhookKeys,
    store: webhookStore,
    takers: [takeReceipt],
    telemetry,
    log,
    now,
  });
  const notify = createNotify({ store, queues, preferences, cipher, settings, telemetry, log, now });
  const pending = createPendingReceiptsSweep({ desk: webhooks, everyMs: 1_000, log });

  let sending: ReturnType<typeof startSending> | undefined;
  const start = () => {
    const queue = connections && queues && { connections, queues, keys };
    sending = startSending({ store, queue, process, settings, telemetry, log, now });
    pending.start();
  };
  t.teardown(async () => {
    await sending?.close();
    await pending.close();
    await queues?.close();
    await connections?.close();
    await clock.close();
    await providers.close();
  });

  async function answer(
    ...[request, response]: Parameters<Parameters<typeof createServer>[1] & object>
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const provider = /^\/v1\/webhooks\/([^/?]+)/.exec(request.url ?? '')?.[1] as TellingProvider;
    try {
      const taken = await webhooks.take({
        provider,
        request: {
          method: request.method ?? 'POST',
          url: `${new URL(baseUrl).origin}${request.url}`,
          headers: request.headers,
          rawBody: Buffer.concat(chunks),
        },
      });
      const reply = taken.kind === 'taken' ? taken.reply : undefined;
      if (reply) response.writeHead(reply.status, { 'content-type': reply.contentType }).end(reply.body);
      else response.writeHead(taken.kind === 'refused' ? 403 : 204).end();
    } catch {
      response.writeHead(503).end();
    }
  }

  const read = async (recordId: string): Promise<NotificationDocument> => {
    const found = await store.findById(recordId);
    if (found === null) throw new Error(`no record ${recordId}`);
    return found;
  };
  return {
    sandbox,
    store,
    preferences,
    desk,
    scorecards,
    telemetry,
    queues,
    connections,
    keys,
    lines,
    notify,
    sendOtp: createSendOtp(notify),
    takeReceipt,
    markSeen: createMarkSeen({ store, settings, metrics, now }),
    webhooks,
    webhookStore,
    process,
    settings,
    start,
    read,
    /** Waits until a record is so. */
    becomes: (recordId: string, fits: (document: NotificationDocument) => boolean, what: string, withinMs = 20_000) =>
      waitFor(
        async () => {
          const document = await read(recordId);
          return fits(document) ? document : undefined;
        },
        { withinMs, what },
      ),
  };
}

export const hasEnded = ({ nextAt }: NotificationDocument) => nextAt === undefined;
