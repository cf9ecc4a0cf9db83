import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { at, type Json, readJson, textAt } from '../http/read-json.ts';
import type { ErrorClass } from '../provider.ts';
import {
  headerOf,
  isStale,
  type Receipt,
  type ReceiptStatus,
  refused,
  type VerifyOptions,
  type WebhookRequest,
  type WebhookVerdict,
} from './receipt.ts';

const statuses: Readonly<Record<string, ReceiptStatus>> = {
  processed: 'accepted',
  deferred: 'accepted',
  delivered: 'delivered',
  open: 'read',
  click: 'read',
  bounce: 'failed',
  dropped: 'failed',
};

/**
 * SendGrid's signed event webhook: ECDSA over P-256 and SHA-256 of timestamp and body, a list of events in each.
 *
 * @param options.keys public keys as SendGrid shows them: SPKI in DER, base64. Source: twilio.com/docs/sendgrid, "Event Webhook
 * Security Features".
 */
export function verifySendgrid(request: WebhookRequest, { keys, nowMs }: VerifyOptions): WebhookVerdict {
  const signature = headerOf(request, 'x-twilio-email-event-webhook-signature');
  const timestamp = headerOf(request, 'x-twilio-email-event-webhook-timestamp');
  if (signature === undefined || timestamp === undefined) return refused('signature-missing');
  const signed = Buffer.concat([Buffer.from(timestamp), request.rawBody]);
  const signatureBytes = Buffer.from(signature, 'base64');
  if (!keys.some((key) => verify('sha256', signed, readPublicKey(key), signatureBytes)))
    return refused('signature-wrong');
  if (isStale(timestamp, nowMs)) return refused('stale');

  const events = readJson(request.rawBody.toString('utf8'));
  if (!Array.isArray(events)) return refused('malformed');
  return { kind: 'verified', receipts: events.flatMap((event) => toReceipt(event, nowMs) ?? []) };
}

/** @throws ConfigError-like TypeError of Node where the text is no key; providers.ts reads each once at the start */
export function readPublicKey(base64: string): KeyObject {
  return createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
}

function toReceipt(event: Json, nowMs: number): Receipt | undefined {
  const name = textAt(event, 'event') ?? '';
  const status = Object.hasOwn(statuses, name) ? statuses[name] : undefined;
  const eventId = textAt(event, 'sg_event_id');
  // What is before the first dot is the id that was given when the mail was accepted.
  const providerMessageId = textAt(event, 'sg_message_id')?.split('.')[0];
  if (status === undefined || eventId === undefined || !providerMessageId) return undefined;
  const seconds = at(event, 'timestamp');
  const attemptId = textAt(event, 'attempt_id');
  const vendorCode = textAt(event, 'status') ?? textAt(event, 'type');
  return {
    provider: 'sendgrid',
    providerMessageId,
    status,
    atMs: typeof seconds === 'number' ? seconds * 1_000 : nowMs,
    eventId,
    ...(attemptId !== undefined && { attemptId }),
    ...(vendorCode !== undefined && { vendorCode }),
    ...(status === 'failed' && { errorClass: classOf(event) }),
  };
}

/** A bounce is the mailbox's refusal, `blocked` that of its server against this sender; drops say why. */
function classOf(event: Json): ErrorClass {
  if (textAt(event, 'event') === 'bounce') return textAt(event, 'type') === 'blocked' ? 'next' : 'give-up';
  return /unsubscribed|bounced|invalid|spam report/i.test(textAt(event, 'reason') ?? '') ? 'give-up' : 'next';
}
