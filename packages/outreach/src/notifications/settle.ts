import type { ReceiptStatus } from '@hushryd/providers/receipts/receipt';
import type { PastAttempt } from '../delivery/plan-attempt.ts';
import type {
  EndReason,
  NotificationDocument,
  NotificationState,
  StoredAttempt,
  StoredReceipt,
} from './notification-document.ts';

/** What a record is after something was learnt of its attempts; without `nextAt` it has ended. */
export interface Settled {
  readonly state: NotificationState;
  readonly nextAt?: Date;
  readonly reason?: EndReason;
  readonly deliveredAt?: Date;
}

type Known = Pick<NotificationDocument, 'lane' | 'channel' | 'attempts' | 'receipts'>;

const arrived = new Set<ReceiptStatus>(['delivered', 'read', 'answered', 'completed']);
const unanswered = new Set<ReceiptStatus>(['busy', 'no-answer']);

/**
 * State and next look, from attempts and receipts alone: the same whoever of processor and webhook comes first. Pure.
 *
 * A vendor's 2xx is `accepted`, a receipt `delivered`. One-time codes by SMS and WhatsApp wait for the receipt; everything else has ended
 * when a vendor has it, unless a receipt says later that it failed. A call ends with its answer, or without one.
 */
export function settle(known: Known, { receiptWaitMs, nowMs }: { receiptWaitMs: number; nowMs: number }): Settled {
  const arrival = Object.values(known.receipts).find(({ status }) => arrived.has(status));
  if (arrival !== undefined) return { state: 'delivered', deliveredAt: arrival.at };
  const latest = known.attempts.at(-1);
  if (latest === undefined || latest.outcome === 'failed') return { state: 'queued', nextAt: new Date(nowMs) };
  const receipt = known.receipts[latest.number];
  if (receipt?.status === 'failed') return { state: 'queued', nextAt: new Date(nowMs) };
  if (receipt !== undefined && unanswered.has(receipt.status)) return { state: 'failed', reason: 'not-answered' };
  if (!waitsForReceipt(known)) return { state: 'accepted' };
  return { state: 'accepted', nextAt: new Date(latest.startedAtMs + latest.latencyMs + receiptWaitMs) };
}

/** Mail is never sent again because nobody says that it arrived; neither is what may come late. */
export function waitsForReceipt({ lane, channel }: Pick<NotificationDocument, 'lane' | 'channel'>): boolean {
  return lane === 'otp' && (channel === 'sms' || channel === 'whatsapp');
}

/** This round's attempts, when it has to be planned again. What was accepted and is not known to have failed has been silent. */
export function pastAttempts({
  attempts,
  receipts,
  roundFrom,
}: Pick<NotificationDocument, 'attempts' | 'receipts' | 'roundFrom'>): PastAttempt[] {
  return attempts.slice(roundFrom).map((attempt) => ({
    provider: attempt.provider,
    result: resultOf(attempt, receipts[attempt.number]),
    endedAtMs: attempt.startedAtMs + attempt.latencyMs,
    retryAfterMs: attempt.retryAfterMs,
  }));
}

function resultOf(attempt: StoredAttempt, receipt: StoredReceipt | undefined): PastAttempt['result'] {
  if (attempt.outcome === 'failed') return attempt.errorClass ?? 'next';
  if (receipt?.status !== 'failed') return 'silent';
  // The vendor has tried as often as it does: the same one again would be no news.
  return receipt.errorClass === 'give-up' ? 'give-up' : 'next';
}
