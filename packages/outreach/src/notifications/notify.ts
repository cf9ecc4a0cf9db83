import { createHash } from 'node:crypto';
import { notificationChannels } from '@hushryd/contracts/http/notifications';
import type { FieldCipher } from '@hushryd/platform/crypto/field-cipher';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Queues } from '@hushryd/platform/queues/open-queues';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { type Consent, decideConsent } from './decide-consent.ts';
import type { NotificationChannel, NotificationClass, NotificationDocument } from './notification-document.ts';
import type { NotificationSettings } from './notification-settings.ts';
import type { NotificationStore } from './notification-store.ts';
import type { Preferences } from './preferences-store.ts';
import { sealWords } from './sealed-words.ts';
import { type TemplateName, templateOf } from './templates/all-templates.ts';
import { readVariables } from './templates/render.ts';
import type { Locale } from './templates/template.ts';

/** Where a person is reached. Phones E.164, `push` one token for each device. */
export interface Addresses {
  readonly sms?: string;
  readonly whatsapp?: string;
  readonly voice?: string;
  readonly email?: string;
  readonly push?: readonly string[];
}

export interface NotifyRequest {
  readonly recipient: {
    /** Of whoever has the app: their preferences hold, and their app may say that it was seen. */
    readonly personId?: string | undefined;
    /** Without it that of their preferences, else English. */
    readonly locale?: Locale | undefined;
    readonly addresses: Addresses;
  };
  readonly template: TemplateName;
  readonly class: NotificationClass;
  /** All of them, at once; those without an address are left out. */
  readonly channels: readonly NotificationChannel[];
  /** The same key again is the same notification, whatever else the request says. */
  readonly idempotencyKey: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly correlationId?: string | undefined;
}

/** One record a channel, for push one a device. */
export interface Notified {
  readonly recordId: string;
  readonly channel: NotificationChannel;
  /** False where it was recorded before. */
  readonly isNew: boolean;
}

export type Notify = (request: NotifyRequest) => Promise<Notified[]>;

/**
 * Record what shall be sent, then leave a job for each record.
 *
 * What this has answered is sent, or ends failed and visible: the sweepers find what no job came for. So a queue that is away is not
 * waited for.
 *
 * @throws RangeError where a variable is missing or no address fits any channel; AppError `database_unavailable`: the outcome is unknown
 *   then, and the same request may be made again
 * Cost: one majority write a record, all at once, and one read of the person's preferences.
 */
export function createNotify({
  store,
  queues,
  preferences,
  cipher,
  settings,
  telemetry,
  log,
  now,
}: {
  store: Pick<NotificationStore, 'insert'>;
  /** Without it the sweepers send. */
  queues?: Pick<Queues, 'add'> | undefined;
  preferences: { find(personId: string): Promise<Preferences | null> };
  cipher: Pick<FieldCipher, 'encrypt'>;
  settings: Pick<NotificationSettings, 'keepMs'>;
  telemetry: Telemetry;
  log: Logger;
  /** The database's clock: workers and api must agree on what is due and whose lease has ended. */
  now: () => number;
}): Notify {
  const recorded = telemetry.counter({
    name: 'notifications_recorded_total',
    help: 'Notifications that were recorded, one a channel and device',
    labelNames: ['lane', 'channel'],
  });
  const unqueued = telemetry.counter({
    name: 'notifications_not_queued_total',
    help: 'Notifications whose job could not be left: the sweepers see to them',
  });

  async function record(document: NotificationDocument): Promise<Notified> {
    const outcome = await store.insert(document);
    if (outcome === 'inserted') {
      recorded.inc({ lane: document.lane, channel: document.channel });
      leaveJob(document);
    }
    return { recordId: document._id, channel: document.channel, isNew: outcome === 'inserted' };
  }

  function leaveJob({ _id: recordId, lane, nextAt, correlationId }: NotificationDocument): void {
    if (queues === undefined || nextAt === undefined || nextAt.getTime() > now()) return;
    queues
      .add(lane, { recordId, step: 0, ...(correlationId !== undefined && { correlationId }) })
      .catch((err: unknown) => {
        unqueued.inc();
        log.debug({ err, recordId }, 'no job could be left');
      });
  }

  return async (request) => {
    const { recipient, channels, idempotencyKey } = request;
    const template = templateOf(request.template);
    const variables = readVariables(template, request.variables);
    const places = toPlaces(recipient.addresses, channels);
    if (places.length === 0) throw new RangeError('No address for any of the channels');
    const nowMs = now();
    const own = recipient.personId === undefined ? null : await preferences.find(recipient.personId);
    const locale = recipient.locale ?? own?.locale ?? 'en';
    return Promise.all(
      places.map(({ channel, to, place }) => {
        const recordId = recordIdOf(idempotencyKey, place);
        const consent = decideConsent({ preferences: own, template, class: request.class, channel, nowMs });
        return record({
          _id: recordId,
          ...(recipient.personId !== undefined && { personId: recipient.personId }),
          template: request.template,
          locale,
          class: request.class,
          lane: template.isCode && request.class === 'high' ? 'otp' : request.class,
          channel,
          sealed: sealWords(cipher, recordId, { to, variables }),
          ...toState(consent, nowMs),
          createdAt: new Date(nowMs),
          expiresAt: new Date(nowMs + template.lifeMs),
          leaseUntil: new Date(0),
          fence: 0,
          starts: 0,
          attempts: [],
          round: 0,
          roundFrom: 0,
          receipts: {},
          receiptCount: 0,
          ...(request.correlationId !== undefined && { correlationId: request.correlationId }),
          purgeAt: new Date(nowMs + settings.keepMs),
        });
      }),
    );
  };
}

function toState(
  consent: Consent,
  nowMs: number,
): Pick<NotificationDocument, 'state' | 'nextAt' | 'isOpen' | 'reason' | 'endedAt'> {
  if (consent.kind === 'suppress') return { state: 'suppressed', reason: consent.reason, endedAt: new Date(nowMs) };
  return { state: 'queued', isOpen: true, nextAt: new Date(consent.kind === 'wait' ? consent.untilMs : nowMs) };
}

function toPlaces(
  addresses: Addresses,
  channels: readonly NotificationChannel[],
): { channel: NotificationChannel; to: string; place: string }[] {
  return notificationChannels
    .filter((channel) => channels.includes(channel))
    .flatMap((channel) => {
      const found = addresses[channel] ?? [];
      const list = typeof found === 'string' ? [found] : found;
      return [...new Set(list)].map((to) => ({ channel, to, place: channel === 'push' ? `push:${to}` : channel }));
    });
}

/** 128 bits, the same for the same key and place: an insert that is made again finds itself. */
function recordIdOf(idempotencyKey: string, place: string): string {
  return createHash('sha256').update(`${idempotencyKey}\n${place}`).digest().subarray(0, 16).toString('base64url');
}
