import { channelOf, type ProviderName } from '@hushryd/providers/provider';
import { isProgress } from '@hushryd/providers/receipts/receipt-progress';
import type { TakeReceipt } from '../webhooks/take-webhook.ts';
import { type NotificationDocument, readAttemptId, type StoredReceipt } from './notification-document.ts';
import type { NotificationMetrics } from './notification-metrics.ts';
import type { NotificationSettings } from './notification-settings.ts';
import type { NotificationStore } from './notification-store.ts';

interface ReceiptParts {
  store: Pick<NotificationStore, 'addReceipt' | 'findByMessage' | 'findById'>;
  settings: Pick<NotificationSettings, 'receiptWaitMs'>;
  metrics: Pick<NotificationMetrics, 'delivered' | 'ended'>;
  /** The database's clock. */
  now: () => number;
}

/**
 * Receipts of notifications. Repetitions and steps back change nothing, nor does what one company says of another one's message.
 *
 * @throws AppError `database_unavailable`
 */
export function createTakeReceipt(parts: ReceiptParts): TakeReceipt {
  return async ({ provider, providerMessageId, attemptId, status, atMs, errorClass, vendorCode }) => {
    const message =
      attemptId === undefined
        ? await parts.store.findByMessage({ provider, providerMessageId })
        : readAttemptId(attemptId);
    if (message === null || message === undefined) return false;
    await keep(
      parts,
      { ...message, provider },
      {
        status,
        at: new Date(atMs),
        ...(errorClass !== undefined && { errorClass }),
        ...(vendorCode !== undefined && { vendorCode }),
      },
    );
    return true;
  };
}

/** The person's app has shown it. @returns false where it is not theirs, or there is no such thing */
export type MarkSeen = (seen: { recordId: string; personId: string }) => Promise<boolean>;

/** What counts as the receipt of a push: FCM sends none. @throws AppError `database_unavailable` */
export function createMarkSeen(parts: ReceiptParts): MarkSeen {
  const { store, now } = parts;
  return async ({ recordId, personId }) => {
    const known = await store.findById(recordId);
    if (known === null || known.personId !== personId) return false;
    const number = known.attempts.at(-1)?.number;
    // It is on a phone, so somebody has sent it: that this is not stored yet is no reason to forget what the person saw.
    await keep(parts, { recordId, number: number ?? `${known.fence}-1` }, { status: 'read', at: new Date(now()) });
    return true;
  };
}

async function keep(
  { store, settings, metrics, now }: ReceiptParts,
  { provider, ...message }: { recordId: string; number: string; provider?: ProviderName },
  receipt: StoredReceipt,
): Promise<void> {
  const kept = await store.addReceipt(message, receipt, {
    nowMs: now(),
    receiptWaitMs: settings.receiptWaitMs,
    isNews: (known, document) =>
      isOf(document, { number: message.number, provider }) && isProgress(known?.status, receipt.status),
  });
  if (kept === null) return;
  const { before, after } = kept;
  if (after.state === 'delivered' && before.state !== 'delivered') metrics.delivered(after, message.number);
  if (hasEnded(after) && (!hasEnded(before) || after.state !== before.state)) metrics.ended(after);
}

/** The receipt may be here before its attempt is: then it is at least of a company of the same channel. The person's own word is of no company. */
function isOf(
  { attempts, channel }: NotificationDocument,
  { number, provider }: { number: string; provider: ProviderName | undefined },
): boolean {
  if (provider === undefined) return true;
  const made = attempts.find((attempt) => attempt.number === number);
  return made === undefined ? channelOf[provider] === channel : made.provider === provider;
}

const hasEnded = ({ nextAt }: Pick<NotificationDocument, 'nextAt'>): boolean => nextAt === undefined;
