import { createBlindIndex } from '@hushryd/platform/crypto/blind-index';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import type { FieldKeys } from '@hushryd/platform/crypto/field-keys';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createPublishEvent, type PublishEvent } from '@hushryd/platform/topics/publish-event';
import type { Providers } from '@hushryd/providers/providers';
import type { Db } from 'mongodb';
import type { AlertMetrics } from '../alerts/alert-metrics.ts';
import { type AlertSignals, createAlertSignals } from '../alerts/alert-signals.ts';
import { createAlertStore } from '../alerts/alert-store.ts';
import { type AnnounceAlert, createAnnounceAlert } from '../alerts/announce-alert.ts';
import type { AlertWork } from '../alerts/change-alert.ts';
import type { CrashAlert } from '../alerts/crash-points.ts';
import type { DeliveryDesk } from '../delivery/delivery.ts';
import type { DeliverySettings } from '../delivery/delivery-settings.ts';
import type { NotificationSettings } from '../notifications/notification-settings.ts';
import type { ReadVoicePrompt } from '../notifications/read-voice-prompt.ts';
import { createCacheEntries } from '../people/cache/cache-entries.ts';
import { createContactSeal } from '../people/contacts/contact-seal.ts';
import { createContactStore } from '../people/contacts/contact-store.ts';
import { createOutreachLists, type OutreachLists } from '../people/contacts/outreach-lists.ts';
import { createDeviceStore } from '../people/devices/device-store.ts';
import { createPersonSeal, onCallCollection, type RotaDocument } from '../people/on-call/on-call-document.ts';
import { createOnCallReader, type OnCallReader } from '../people/on-call/on-call-reader.ts';
import { createReadOwnPhone, type ReadOwnPhone } from '../people/safety/read-own-phone.ts';
import { createSafetyStore } from '../people/safety/safety-store.ts';
import { createVersionedStore } from '../people/versioned/versioned-store.ts';
import { createTrailLinks } from '../trail/trail-links.ts';
import type { TakeReceipt } from '../webhooks/take-webhook.ts';
import { acknowledgeQuietly } from './acknowledge-quietly.ts';
import { createCurrentContacts } from './current-contacts.ts';
import { createDispatchAlert, type DispatchAlert } from './dispatch-alert.ts';
import { createDispatchMetrics, type DispatchMetrics } from './dispatch-metrics.ts';
import type { DispatchSettings } from './dispatch-settings.ts';
import { createDispatchStore, type DispatchStore } from './dispatch-store.ts';
import { createFindRecipients, type FindRecipients } from './find-recipients.ts';
import { createGatherOutcomes, type GatherOutcomes } from './gather-outcomes.ts';
import { createMakeAttempt } from './make-attempt.ts';
import { createMarkAlertSeen, type MarkAlertSeen } from './mark-alert-seen.ts';
import { createReadAlertPrompt } from './read-alert-prompt.ts';
import { createSendEntry, type SendEntry } from './send-entry.ts';
import { createSendInside } from './send-inside.ts';
import { createAlertSweep } from './sweep-alerts.ts';
import { createTakeAlertReceipt } from './take-alert-receipt.ts';
import type { MessageSettings } from './to-alert-message.ts';

export interface DispatchParts {
  /** On a pool of its own: an accept never waits behind a send. */
  db: Db;
  /** Of live events and of the copies of contacts and rota. */
  redis: RedisClient;
  keys: Keys;
  fieldKeys: FieldKeys;
  providers: Providers;
  desk: DeliveryDesk;
  settings: DispatchSettings;
  delivery: Pick<DeliverySettings, 'deadlineMs' | 'plan'>;
  vendors: Pick<NotificationSettings, 'vendorTemplates' | 'webhookBaseUrl'>;
  alertMetrics: Pick<AlertMetrics, 'announceFailed'>;
  crashAt: CrashAlert;
  telemetry: Telemetry;
  log: Logger;
  /** For tests that count majority writes. */
  onWrite?: (kind: 'claim' | 'keep') => void;
}

/** What sends, whatever holds the alert: also for a node that has to do without the database. */
export interface Sending {
  findRecipients: FindRecipients;
  sendEntry: SendEntry;
  onCall: Pick<OnCallReader, 'readOnCall'>;
  lists: Pick<OutreachLists, 'readOutreachList'>;
  publishEvent: PublishEvent;
  announce: AnnounceAlert;
  messages: MessageSettings;
  metrics: DispatchMetrics;
  work: AlertWork;
  gather: GatherOutcomes;
  store: DispatchStore;
  signals: AlertSignals;
}

/** The way out of alerts, in any process that shall send them. */
export interface Dispatch {
  dispatch: DispatchAlert;
  takeReceipt: TakeReceipt;
  markSeen: MarkAlertSeen;
  readPrompt: ReadVoicePrompt;
  readOwnPhone: ReadOwnPhone;
  sending: Sending;
  /** Begins to look for what is due. */
  start(): void;
  /** Takes up nothing new, and waits for what is under way. */
  close(): Promise<void>;
}

/** Opens nothing of its own. */
export function openDispatch(parts: DispatchParts): Dispatch {
  const { db, redis, keys, providers, desk, settings, delivery, vendors, crashAt, telemetry, log } = parts;
  const { trailUrlOf } = createTrailLinks({ pageUrl: settings.sharePageUrl, fieldKeys: parts.fieldKeys });
  const messages = { ...settings.messages, trailUrlOf };
  const cipher = createFieldCipher(parts.fieldKeys);
  const entries = createCacheEntries({ redis });
  const lists = createOutreachLists({ store: createContactStore({ db }), entries, keys, log });
  const rota = createVersionedStore<RotaDocument>({ db, name: onCallCollection.name, deadlineMs: 1_500 });
  const onCall = createOnCallReader({ store: rota, seal: createPersonSeal(cipher), entries, keys, log });
  const devices = createDeviceStore({ db, cipher, blindIndex: createBlindIndex(parts.fieldKeys) });
  const readOwnPhone = createReadOwnPhone({ store: createSafetyStore({ db }), cipher });
  const metrics = createDispatchMetrics(telemetry);
  const findRecipients = createFindRecipients({
    contactSeal: createContactSeal(cipher),
    devices,
    onCall,
    readOwnPhone,
    metrics,
    log,
    now: desk.now,
  });

  const signals = createAlertSignals({ redis, keys });
  const publishEvent = createPublishEvent({ redis, keys });
  const announce = createAnnounceAlert({ publishEvent, mapUrl: messages.mapUrl, metrics: parts.alertMetrics, log });
  const store = createDispatchStore({ db, settings, ...(parts.onWrite && { onWrite: parts.onWrite }) });
  const gather = createGatherOutcomes({ store, crashAt });
  const makeAttempt = createMakeAttempt({ providers, desk, devices, ...vendors, messages });
  const ending = new AbortController();
  const sendEntry = createSendEntry({
    providers,
    findRecipients,
    makeAttempt,
    settings,
    delivery,
    crashAt,
    metrics,
    log,
    ending: ending.signal,
    now: desk.now,
  });
  const work = { store: createAlertStore({ db }), announce };
  const dispatch = createDispatchAlert({
    store,
    gather,
    async hearAck(alert) {
      const { ack } = await signals.read(alert._id);
      // Whose call that was, only the node knows that made it; it says so here when it has looked.
      if (ack === undefined || ack.attemptId !== undefined) return false;
      const { by, atMs } = ack;
      return (await acknowledgeQuietly(work, { alertId: alert._id, by, atMs }))?.state === 'acknowledged';
    },
    announce,
    currentContacts: createCurrentContacts(lists),
    readOwnPhone,
    sendEntry,
    sendInside: createSendInside({ announce, publishEvent, lists, findRecipients, messages }),
    settings,
    crashAt,
    metrics,
    log,
  });
  const sweep = createAlertSweep({ store, dispatch, settings, metrics, log });
  const takeReceipt = createTakeAlertReceipt({
    store,
    gather,
    acknowledge: async (alertId, by) => (await acknowledgeQuietly(work, { alertId, by })) !== undefined,
    metrics,
  });
  return {
    dispatch,
    takeReceipt,
    markSeen: createMarkAlertSeen({ store, takeReceipt }),
    readPrompt: createReadAlertPrompt({ store, readOwnPhone, messages }),
    readOwnPhone,
    sending: {
      findRecipients,
      sendEntry,
      onCall,
      lists,
      publishEvent,
      announce,
      messages,
      metrics,
      work,
      gather,
      store,
      signals,
    },
    start: () => sweep.start(),
    async close() {
      ending.abort();
      await sweep.close();
      await gather.settled();
    },
  };
}
