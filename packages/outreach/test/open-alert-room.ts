import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SosEvent } from '@hushryd/contracts/events/sos-event';
import type { Contact } from '@hushryd/contracts/http/contacts';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import { createBlindIndex } from '@hushryd/platform/crypto/blind-index';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { toFieldKeys } from '@hushryd/platform/crypto/field-keys';
import { neverCrash } from '@hushryd/platform/lifecycle/crash-points';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { ensureCollections } from '@hushryd/platform/mongo/ensure-collections';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { TestMongo, TestRedis, TestScope } from '@hushryd/platform/testing/engines';
import { createTestFieldKeys } from '@hushryd/platform/testing/field-keys';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createRecoverEvents } from '@hushryd/platform/topics/recover-events';
import { createProviders } from '@hushryd/providers/providers';
import { providersEnvironment } from '@hushryd/providers/providers-environment';
import type { Receipt } from '@hushryd/providers/receipts/receipt';
import type { TellingProvider } from '@hushryd/providers/receipts/verify-webhook';
import { startSandbox } from '@hushryd/providers/sandbox/start-sandbox';
import Type from 'typebox';
import { type AlertDocument, alertsCollection } from '../src/alerts/alert-document.ts';
import { createAlertMetrics } from '../src/alerts/alert-metrics.ts';
import { createAlertStore } from '../src/alerts/alert-store.ts';
import { createAnnounceAlert } from '../src/alerts/announce-alert.ts';
import { planOutbox } from '../src/alerts/plan-outbox.ts';
import type { TriggerRecord } from '../src/alerts/trigger-record.ts';
import { createDeliveryDesk } from '../src/delivery/delivery.ts';
import { deliveryEnvironment, toDeliverySettings } from '../src/delivery/delivery-settings.ts';
import { createScorecards } from '../src/delivery/scorecards.ts';
import { type AlertAttemptDocument, alertAttemptsCollection } from '../src/dispatch/alert-attempts.ts';
import { dispatchEnvironment, toDispatchSettings } from '../src/dispatch/dispatch-settings.ts';
import { openDispatch } from '../src/dispatch/open-dispatch.ts';
import { uuidV7 } from '../src/drills/uuid-v7.ts';
import { notificationsEnvironment, toNotificationSettings } from '../src/notifications/notification-settings.ts';
import { createCacheEntries } from '../src/people/cache/cache-entries.ts';
import { createContactSeal } from '../src/people/contacts/contact-seal.ts';
import { createContactStore } from '../src/people/contacts/contact-store.ts';
import { createDeviceStore, type DeviceDocument } from '../src/people/devices/device-store.ts';
import {
  createPersonSeal,
  type OnCallPerson,
  type RotaDocument,
  rotaId,
} from '../src/people/on-call/on-call-document.ts';
import { peopleCollections } from '../src/people/people-collections.ts';
import { ownPhonePlace } from '../src/people/safety/read-own-phone.ts';
import { createSafetyStore } from '../src/people/safety/safety-store.ts';
import { createVersionedStore } from '../src/people/versioned/versioned-store.ts';
import { createPendingReceiptsSweep, createWebhookDesk } from '../src/webhooks/take-webhook.ts';
import { createWebhookStore, type WebhookEvent, webhookEventsCollection } from '../src/webhooks/webhook-store.ts';
import { newKey } from './open-hub.ts';

const environment = Type.Object({
  ...providersEnvironment,
  ...deliveryEnvironment,
  ...notificationsEnvironment,
  ...dispatchEnvironment,
});

/** Timers short enough for tests; a call of a provider fits into a lease twice, as in production. */
const quickVariables = {
  PROVIDER_DEADLINE_MS: '1500',
  PROVIDER_BACKOFF_MS: '20',
  PROVIDER_BREAKER_FAILURES: '1000',
  SOS_SWEEP_MS: '100',
  SOS_RECEIPT_WAIT_MS: '2000',
  MSG91_TEMPLATES: ['sos_alert', 'sos_resolved', 'on_call_page']
    .flatMap((name) => [`${name}.en=dlt-${name}-en`, `${name}.hi=dlt-${name}-hi`])
    .join(','),
  WHATSAPP_TEMPLATES: 'sos_alert=sos_alert,sos_resolved=sos_resolved',
};

export type AlertRoom = Awaited<ReturnType<typeof openAlertRoom>>;

/**
 * The way out of alerts in this process, on real stores and the sandbox, ended with the test. Nothing is sent before `start`.
 *
 * @param now the database's clock, where this process's own is another one
 */
export async function openAlertRoom(
  t: TestScope,
  { redis, mongo }: { redis: TestRedis; mongo: TestMongo },
  variables: Record<string, string> = {},
  { receiptDelayMs = 20, now }: { receiptDelayMs?: number; now?: () => number } = {},
) {
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const telemetry = createTelemetry({ service: 'test', instanceId: newKey(), withProcessMetrics: false });
  await ensureCollections(mongo.db, [
    alertsCollection,
    alertAttemptsCollection,
    webhookEventsCollection,
    ...peopleCollections,
  ]);

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
  const providers = createProviders(values);
  await providers.warmUp();
  const own = redis.settings();
  const settings = { ...own, prefix: `${own.prefix}${newKey()}:` };
  const keys = createKeys(settings);
  const connections = await connectRedis({ settings, role: 'live', log });
  const live = connections.commands;

  const fieldKeys = toFieldKeys(createTestFieldKeys());
  const cipher = createFieldCipher(fieldKeys);
  const delivery = toDeliverySettings(values);
  const dispatchSettings = toDispatchSettings(values);
  const alertMetrics = createAlertMetrics(telemetry);
  const writes: ('claim' | 'keep')[] = [];
  const dispatch = openDispatch({
    db: mongo.db,
    redis: live,
    keys,
    fieldKeys,
    providers,
    desk: createDeliveryDesk({
      settings: delivery,
      scorecards: createScorecards({ telemetry }),
      telemetry,
      log,
      ...(now && { now }),
    }),
    settings: dispatchSettings,
    delivery,
    vendors: toNotificationSettings(values),
    alertMetrics,
    crashAt: neverCrash,
    telemetry,
    log,
    onWrite: (kind) => void writes.push(kind),
  });
  const webhooks = createWebhookDesk({
    keys: providers.webhookKeys,
    store: createWebhookStore({ db: mongo.db }),
    takers: [dispatch.takeReceipt],
    telemetry,
    log,
  });
  const pending = createPendingReceiptsSweep({ desk: webhooks, everyMs: 500, log });
  pending.start();
  t.teardown(async () => {
    await pending.close();
    await dispatch.close();
    await providers.close();
    await connections.close();
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
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

  const contactStore = createContactStore({ db: mongo.db });
  const seal = createContactSeal(cipher);
  const alertStore = createAlertStore({ db: mongo.db });
  const publish = { publishEvent: async () => ({ epoch: '', offset: 0 }), mapUrl: '', metrics: alertMetrics, log };
  const recover = createRecoverEvents({ redis: live, keys });
  const entries = createCacheEntries({ redis: live });

  async function putContacts(userId: string, contacts: readonly Contact[]): Promise<number> {
    const known = await contactStore.find(userId);
    const version = (known?.version ?? 0) + 1;
    const sealed = contacts.map((contact) => seal.seal(userId, contact));
    await contactStore.replace(known, { _id: userId, version, changedAt: new Date(), contacts: sealed });
    await entries.renew(keys.contacts(userId));
    return version;
  }

  async function read(alertId: string): Promise<AlertDocument> {
    const found = await alertStore.find(alertId);
    if (found === null) throw new Error(`no alert ${alertId}`);
    return found;
  }

  return {
    sandbox,
    db: mongo.db,
    dispatch,
    writes,
    telemetry,
    work: { store: alertStore, announce: createAnnounceAlert(publish) },
    readOwnPhone: dispatch.readOwnPhone,
    putContacts,
    read,
    /** An alert of a new person, with these contacts in its snapshot. */
    async raise(
      contacts: readonly Contact[] | undefined,
      userId = `rider-${newKey()}`,
      changes: Partial<TriggerRecord> = {},
    ): Promise<AlertDocument> {
      const version = contacts === undefined ? undefined : await putContacts(userId, contacts);
      const sealed = contacts?.map((contact) => seal.seal(userId, contact));
      const alertId = uuidV7();
      const record: TriggerRecord = {
        triggerId: alertId,
        userId,
        role: 'rider',
        region: 'test',
        acceptedAt: new Date().toISOString(),
        via: 'https',
        isTokenExpired: false,
        trigger: {
          alertId,
          triggeredAt: new Date().toISOString(),
          location: { lat: 41.15, lng: -8.61, recordedAt: new Date().toISOString() },
        },
        outbox: planOutbox(sealed && { contacts: sealed }),
        contacts: sealed ?? [],
        ...(version !== undefined && { contactsVersion: version }),
        ...changes,
      };
      return (await alertStore.accept(record)).alert;
    },
    /** @param relief somebody who is on call on the first level instead, for a while */
    async putRota(
      levels: readonly (readonly OnCallPerson[])[],
      relief: readonly { person: OnCallPerson; from: Date; until: Date }[] = [],
    ): Promise<void> {
      const rota = createVersionedStore<RotaDocument>({ db: mongo.db, name: 'on_call', deadlineMs: 5_000 });
      const personSeal = createPersonSeal(cipher);
      const known = await rota.find(rotaId);
      const days = [1, 2, 3, 4, 5, 6, 7];
      await rota.replace(known, {
        _id: rotaId,
        version: (known?.version ?? 0) + 1,
        changedAt: new Date(),
        timeZone: 'UTC',
        people: [...levels.flat(), ...relief.map(({ person }) => person)].map((person) => personSeal.seal(person)),
        levels: levels.map((people, level) => ({
          name: `level ${level + 1}`,
          shifts: [{ days, from: '00:00', until: '24:00', personIds: people.map(({ personId }) => personId) }],
        })),
        overrides: relief.map(({ person: { personId }, from, until }) => ({
          ...{ overrideId: newKey(), level: 0, personIds: [personId] },
          ...{ from: from.toISOString(), until: until.toISOString() },
        })),
      });
      await entries.renew(keys.onCall());
    },
    /** The number of somebody on the rota can no longer be read. */
    async loseOnCall(personId: string): Promise<void> {
      const rota = createVersionedStore<RotaDocument>({ db: mongo.db, name: 'on_call', deadlineMs: 5_000 });
      const known = await rota.find(rotaId);
      if (known === null) throw new Error('there is no rota');
      const people = known.people.map((one) => (one.personId === personId ? { ...one, phone: gone } : one));
      await rota.replace(known, { ...known, version: known.version + 1, people });
      await entries.renew(keys.onCall());
    },
    async putOwnPhone(userId: string, phone: string): Promise<void> {
      await createSafetyStore({ db: mongo.db }).replace(null, {
        _id: userId,
        version: 1,
        changedAt: new Date(),
        locale: 'en',
        phone: cipher.encrypt(phone, ownPhonePlace(userId)),
        isPhoneVerified: true,
      });
    },
    putDevice: (userId: string, pushToken: string) =>
      createDeviceStore({ db: mongo.db, cipher, blindIndex: createBlindIndex(fieldKeys) }).put(
        { userId, deviceId: newKey() },
        { platform: 'android', pushToken },
      ),
    /** The token of a device can no longer be read. */
    async loseDevice({ _id }: Pick<DeviceDocument, '_id'>): Promise<void> {
      await mongo.db.collection<DeviceDocument>('devices').updateOne({ _id }, { $set: { token: gone } });
    },
    /** As if so much time had passed for this alert. */
    async passTime(alertId: string, ms: number): Promise<void> {
      const { outbox, escalation, workAt } = await read(alertId);
      const earlier = (at: Date | null) => at && new Date(at.getTime() - ms);
      await mongo.db.collection<AlertDocument>('alerts').updateOne(
        { _id: alertId },
        {
          $set: {
            'escalation.nextAt': earlier(escalation.nextAt),
            workAt: earlier(workAt),
            outbox: outbox.map((entry) => ({ ...entry, dueAt: earlier(entry.dueAt) })),
          },
        },
      );
    },
    attempts: (alertId: string) =>
      mongo.db
        .collection<AlertAttemptDocument>('alert_attempts')
        .find({ alertId }, { sort: { startedAtMs: 1 } })
        .toArray(),
    /** What a vendor told of a message has had its effect. */
    async isTaken({ providerMessageId, status }: Pick<Receipt, 'providerMessageId' | 'status'>): Promise<boolean> {
      const told = { 'receipt.providerMessageId': providerMessageId, 'receipt.status': status };
      const found = await mongo.db.collection<WebhookEvent>('webhook_events').findOne(told);
      return found !== null && found.isPending === undefined;
    },
    async eventsOf(topic: string): Promise<SosEvent[]> {
      const found = await recover(topic, { epoch: '', offset: 0 });
      return found.recovered ? found.messages.map(({ event }) => event as SosEvent) : [];
    },
    /** Does what a sweeper does for one alert until nothing is awaited of it: where a machine is slow, something may have to be done again. */
    becomesQuiet: (alertId: string, withinMs = 120_000) =>
      waitFor(
        async () => {
          const alert = await read(alertId);
          if (isQuiet(alert)) return alert;
          const nowMs = Date.now();
          if (alert.outbox.some(({ dueAt }) => dueAt !== null && dueAt.getTime() <= nowMs))
            await dispatch.dispatch(alertId);
          return undefined;
        },
        { withinMs, what: 'an alert of which nothing is awaited' },
      ),
    /** Waits until an alert is so. */
    becomes: (alertId: string, fits: (alert: AlertDocument) => boolean, what: string, withinMs = 20_000) =>
      waitFor(
        async () => {
          const alert = await read(alertId);
          return fits(alert) ? alert : undefined;
        },
        { withinMs, what },
      ),
  };
}

/** A text under a key that is in nobody's ring. */
export const gone = `gone.${'x'.repeat(60)}`;

export const entryOf = ({ outbox }: Pick<AlertDocument, 'outbox'>, channel: string) =>
  outbox.find((entry) => entry.channel === channel && entry.recipient.kind !== 'operators');

/** Nothing is awaited of it but an acknowledgement. */
export const isQuiet = ({ outbox }: AlertDocument) => outbox.every(({ dueAt }) => dueAt === null);
