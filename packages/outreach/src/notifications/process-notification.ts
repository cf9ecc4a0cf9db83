import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { FieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { ProviderName } from '@hushryd/providers/provider';
import type { Providers } from '@hushryd/providers/providers';
import { webhookAddress } from '@hushryd/providers/receipts/webhook-addresses';
import type { Delivery, DeliveryDesk, Task } from '../delivery/delivery.ts';
import { attemptIdOf, type EndReason, type NotificationDocument, type StoredAttempt } from './notification-document.ts';
import type { NotificationMetrics } from './notification-metrics.ts';
import type { NotificationSettings } from './notification-settings.ts';
import { ClaimLostError, type NotificationStore, type Release } from './notification-store.ts';
import { openWords } from './sealed-words.ts';
import { pastAttempts } from './settle.ts';
import { toEmail, toPush, toSms, toVoice, toWhatsApp, type Words } from './to-message.ts';

/** Looks at a record and does what is due. Safe to call at any time, from anywhere, twice. */
export type ProcessNotification = (recordId: string, signal?: AbortSignal) => Promise<void>;

export interface ProcessorParts {
  store: NotificationStore;
  desk: DeliveryDesk;
  providers: Providers;
  cipher: Pick<FieldCipher, 'decrypt'>;
  settings: NotificationSettings & { readonly deadlineMs: number };
  metrics: NotificationMetrics;
  log: Logger;
  /** The database's clock: workers and api must agree on what is due and whose lease has ended. */
  now: () => number;
}

/** A record that was taken up so often and nothing came of it is somebody's to look at: it may be what kills the workers. */
const maxStarts = 5;
/** For the longest pause before an attempt, and for keeping what came of it where the database is slow: what is known must not be lost. */
const leaseMarginMs = 20_000;
const keepAgainMs = 500;
/** How often all providers are tried. One-time codes are asked for again sooner than a second round would come. */
const maxRounds: Record<NotificationDocument['lane'], number> = { critical: 4, otp: 1, high: 2, normal: 3, low: 3 };
const afterMistakeMs = 1_000;

/**
 * Takes up one record: claims it, sends it over its channel's providers, and leaves it as what follows from that.
 *
 * Each attempt is stored before the next one is made. Killed in between, the lease ends within 23 s and somebody else goes on; the attempt
 * that was under way may then be made twice.
 *
 * @throws AppError `database_unavailable`: the same may be asked again
 * Cost: two majority writes where the first provider takes it, one more for each further attempt.
 */
export function createProcessNotification(parts: ProcessorParts): ProcessNotification {
  const { store, desk, providers, cipher, settings, metrics, log, now } = parts;
  const leaseMs = settings.deadlineMs + leaseMarginMs;

  async function end(document: NotificationDocument, reason: EndReason): Promise<void> {
    const ended = await store.release(document, { state: 'failed', reason }, now());
    if (ended.state !== 'failed') return;
    metrics.ended(ended);
    if (reason === 'poison') log.error(factsOf(ended), 'a notification was put aside, nothing ever came of it');
    else log.warn(factsOf(ended), 'notification failed');
  }

  async function send(document: NotificationDocument, signal: AbortSignal | undefined): Promise<void> {
    const words = openWords(cipher, document);
    let known = document;
    let made = 0;
    const task: Omit<Task<never>, 'providers' | 'message'> = {
      mode: 'patient',
      earlier: pastAttempts(document),
      nextAttemptId() {
        made += 1;
        return attemptIdOf(document._id, numberOf(document, made));
      },
      correlationId: document.correlationId,
      receiptUrlOf: ({ provider, attemptId }) => addressOf(provider, attemptId),
      async onAttempt(attempt) {
        known = await keepAttempt(known, { ...attempt, number: numberOf(document, made) });
        if (attempt.outcome === 'accepted') metrics.accepted(known, now());
        // A receipt may overtake an answer that never comes.
        return known.state === 'delivered' ? 'stop' : undefined;
      },
      signal,
    };
    const delivery = await deliver(words, document, task);
    await conclude(known, delivery);
  }

  /** Again and again as long as nobody else may take the record up: an attempt of which nobody knows is made twice. */
  async function keepAttempt(document: NotificationDocument, attempt: StoredAttempt): Promise<NotificationDocument> {
    for (;;) {
      const nowMs = now();
      try {
        return await store.addAttempt(document, attempt, { nowMs, leaseMs, receiptWaitMs: settings.receiptWaitMs });
      } catch (error) {
        const isAway = error instanceof AppError && error.code === 'database_unavailable';
        if (!isAway || now() > attempt.startedAtMs + leaseMs) throw error;
        await sleep(keepAgainMs);
      }
    }
  }

  function deliver(
    words: Words,
    document: NotificationDocument,
    task: Omit<Task<never>, 'providers' | 'message'>,
  ): Promise<Delivery> {
    const { vendorTemplates } = settings;
    const carry = <Message>(list: Task<Message>['providers'], message: Message) =>
      desk.deliver<Message>({ ...task, providers: list, message });
    switch (document.channel) {
      case 'sms':
        return carry(providers.sms, toSms(words, vendorTemplates));
      case 'whatsapp': {
        const message = toWhatsApp(words, vendorTemplates);
        return message === undefined
          ? Promise.resolve({ kind: 'failed', reason: 'no-provider' })
          : carry(providers.whatsapp, message);
      }
      case 'email':
        return carry(providers.email, toEmail(words));
      case 'push':
        return carry(providers.push, toPush(words, document._id));
      case 'voice':
        return carry(providers.voice, toVoice(words));
    }
  }

  async function conclude(document: NotificationDocument, delivery: Delivery): Promise<void> {
    if (delivery.kind === 'stopped') return;
    if (delivery.kind === 'accepted') {
      if (document.nextAt === undefined) metrics.ended(document);
      return;
    }
    if (delivery.kind === 'postponed') {
      await store.release(document, { state: 'queued', nextAt: new Date(delivery.untilMs) }, now());
      return;
    }
    // Somebody's vendor has it and says nothing: that is as far as it comes.
    const wasTaken = pastAttempts(document).some(({ result }) => result === 'silent');
    if (wasTaken) {
      const ended = await store.release(document, { state: 'accepted' }, now());
      if (ended.state === 'accepted') metrics.ended(ended);
      return;
    }
    const next = nextRound(document, delivery.reason);
    if (next === undefined) return end(document, delivery.reason);
    await store.release(document, next, now());
  }

  function nextRound(document: NotificationDocument, reason: EndReason): Release | undefined {
    const round = document.round + 1;
    if (reason !== 'exhausted' || round >= maxRounds[document.lane]) return undefined;
    const atMs = now() + settings.roundPauseMs * 2 ** document.round;
    if (atMs >= document.expiresAt.getTime()) return undefined;
    return { state: 'queued', nextAt: new Date(atMs), round, roundFrom: document.attempts.length };
  }

  function addressOf(provider: ProviderName, attemptId: string): string | undefined {
    const { webhookBaseUrl: baseUrl } = settings;
    const key = providers.webhookKeys.path[0];
    if (baseUrl === undefined || key === undefined) return undefined;
    return webhookAddress({ baseUrl, provider, attemptId, key });
  }

  return async (recordId, signal) => {
    const document = await store.claim(recordId, { now, leaseMs });
    if (document === null) return;
    try {
      if (document.starts > maxStarts) return await end(document, 'poison');
      const isWaiting = document.attempts.at(-1)?.outcome === 'accepted';
      if (!isWaiting && document.expiresAt.getTime() <= now()) return await end(document, 'expired');
      if (isWaiting) metrics.silent(document);
      await send(document, signal);
    } catch (error) {
      await giveBack(document, error, signal);
    }
  };

  /** A record is never left without somebody who looks at it again. */
  async function giveBack(
    document: NotificationDocument,
    error: unknown,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (error instanceof ClaimLostError) return;
    if (error instanceof AppError && error.code === 'database_unavailable') throw error;
    const isStopped = signal?.aborted === true;
    if (!isStopped) log.error({ err: error, ...factsOf(document) }, 'a notification could not be processed');
    // The next one's turn comes first, so that a process that ends is not kept by its own sweeper.
    await nextTurn();
    const known = await store.findById(document._id);
    if (known === null || known.fence !== document.fence || known.nextAt === undefined) return;
    const nextAt = new Date(now() + (isStopped ? 0 : afterMistakeMs * 2 ** document.starts));
    await store.release(known, { state: known.state, nextAt, resetStarts: isStopped }, now());
  }
}

const numberOf = (document: NotificationDocument, made: number): string => `${document.fence}-${made}`;

/** What a log may say of a record. */
function factsOf({
  _id: recordId,
  template,
  lane,
  channel,
  state,
  reason,
  attempts,
  correlationId,
}: NotificationDocument) {
  return {
    recordId,
    templateName: template,
    queueName: lane,
    channel,
    state,
    reason,
    attemptCount: attempts.length,
    correlationId,
  };
}
