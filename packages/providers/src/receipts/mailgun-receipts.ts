import { createHmac } from 'node:crypto';
import { at, type Json, readJson, textAt } from '../http/read-json.ts';
import { isSame } from './is-same.ts';
import {
  isStale,
  type Receipt,
  type ReceiptStatus,
  refused,
  type VerifyOptions,
  type WebhookRequest,
  type WebhookVerdict,
} from './receipt.ts';

const statuses: Readonly<Record<string, ReceiptStatus>> = {
  accepted: 'accepted',
  delivered: 'delivered',
  opened: 'read',
  clicked: 'read',
  failed: 'failed',
  rejected: 'failed',
};

/**
 * Mailgun's webhook: the signature stands in the body, an HMAC-SHA256 over timestamp and token. It does not cover the event itself, so
 * the address wants TLS, and a token that was seen before is a replay: `eventId` is made of what was signed, and of nothing else, so that
 * whoever has got hold of one signature can say nothing with it that was not said.
 *
 * @param options.keys HTTP webhook signing keys. Source: documentation.mailgun.com, "Securing Webhooks".
 */
export function verifyMailgun(request: WebhookRequest, { keys, nowMs }: VerifyOptions): WebhookVerdict {
  const body = readJson(request.rawBody.toString('utf8'));
  const signature = textAt(body, 'signature', 'signature');
  const timestamp = textAt(body, 'signature', 'timestamp');
  const token = textAt(body, 'signature', 'token');
  if (signature === undefined || timestamp === undefined || token === undefined) {
    return refused(body === undefined ? 'malformed' : 'signature-missing');
  }
  if (!keys.some((key) => isSame(signature, signForMailgun({ key, timestamp, token }))))
    return refused('signature-wrong');
  if (isStale(timestamp, nowMs)) return refused('stale');

  const event = at(body, 'event-data');
  if (event === undefined) return refused('malformed');
  // Both as they were signed, in one piece: where the one ends and the other begins is not signed.
  const receipt = toReceipt(event, { eventId: `${timestamp}${token}`, nowMs });
  return { kind: 'verified', receipts: receipt === undefined ? [] : [receipt] };
}

export function signForMailgun({ key, timestamp, token }: { key: string; timestamp: string; token: string }): string {
  return createHmac('sha256', key).update(`${timestamp}${token}`).digest('hex');
}

function toReceipt(event: Json, { eventId, nowMs }: { eventId: string; nowMs: number }): Receipt | undefined {
  const name = textAt(event, 'event') ?? '';
  const status = statusOf(name, event);
  const providerMessageId = textAt(event, 'message', 'headers', 'message-id');
  if (status === undefined || providerMessageId === undefined) return undefined;
  const seconds = at(event, 'timestamp');
  const atMs = typeof seconds === 'number' ? Math.round(seconds * 1_000) : nowMs;
  const attemptId = textAt(event, 'user-variables', 'attempt_id');
  const vendorCode = textAt(event, 'delivery-status', 'code');
  return {
    provider: 'mailgun',
    providerMessageId,
    status,
    atMs,
    eventId,
    ...(attemptId !== undefined && { attemptId }),
    ...(vendorCode !== undefined && { vendorCode }),
    ...(status === 'failed' && { errorClass: name === 'failed' ? 'give-up' : 'next' }),
  };
}

/** Mailgun goes on trying after a temporary failure by itself. */
function statusOf(name: string, event: Json): ReceiptStatus | undefined {
  if (name === 'failed' && textAt(event, 'severity') === 'temporary') return 'accepted';
  return Object.hasOwn(statuses, name) ? statuses[name] : undefined;
}
