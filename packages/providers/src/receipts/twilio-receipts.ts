import { meaningOfTwilioCode } from '../twilio/twilio-codes.ts';
import { readAskedKeys } from '../voice/twilio-keys.ts';
import {
  type Receipt,
  type ReceiptStatus,
  refused,
  type VerifyOptions,
  type WebhookRequest,
  type WebhookVerdict,
} from './receipt.ts';
import { checkTwilioSignature } from './twilio-signature.ts';
import { readWebhookAddress } from './webhook-addresses.ts';

const messageStatuses: Readonly<Record<string, ReceiptStatus>> = {
  accepted: 'accepted',
  queued: 'accepted',
  sending: 'accepted',
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
};

const callStatuses: Readonly<Record<string, ReceiptStatus>> = {
  queued: 'accepted',
  initiated: 'accepted',
  ringing: 'ringing',
  'in-progress': 'answered',
  completed: 'completed',
  busy: 'busy',
  'no-answer': 'no-answer',
  failed: 'failed',
  canceled: 'failed',
};

/**
 * Receipts of Twilio's texts and calls, and keys pressed in a call (those want TwiML back: see answer-keys).
 *
 * @param options.keys auth tokens of the account
 * @param options.pathKeys of webhookAddress; the attempt of an address that is not ours is left out
 */
export function verifyTwilio(
  request: WebhookRequest,
  options: VerifyOptions & { pathKeys: readonly string[] },
): WebhookVerdict {
  const reason = checkTwilioSignature(request, options.keys);
  if (reason !== undefined) return refused(reason);
  const form = new URLSearchParams(request.rawBody.toString('utf8'));
  if (form.has('CallSid')) return readCall(form, request, options);
  return readMessage(form, request, options);
}

type Options = VerifyOptions & { pathKeys: readonly string[] };

function readMessage(form: URLSearchParams, request: WebhookRequest, { nowMs, pathKeys }: Options): WebhookVerdict {
  const sid = form.get('MessageSid');
  const vendorStatus = form.get('MessageStatus');
  if (!sid || !vendorStatus) return refused('malformed');
  const status = Object.hasOwn(messageStatuses, vendorStatus) ? messageStatuses[vendorStatus] : undefined;
  // A status of the future is no receipt that anything could be done with.
  if (status === undefined) return { kind: 'verified', receipts: [] };
  return {
    kind: 'verified',
    receipts: [toReceipt({ provider: 'twilio-sms', sid, vendorStatus, status, form, request, nowMs, pathKeys })],
  };
}

function readCall(form: URLSearchParams, request: WebhookRequest, { nowMs, pathKeys }: Options): WebhookVerdict {
  const sid = form.get('CallSid');
  const vendorStatus = form.get('CallStatus');
  if (!sid || !vendorStatus) return refused('malformed');
  const digits = form.get('Digits');
  const shared = { provider: 'twilio-voice', sid, form, request, nowMs, pathKeys } as const;
  if (digits !== null) {
    const pressed = { digits, ...readAskedKeys(request.url) };
    // The same key may be pressed again when it is asked for again.
    const receipt = toReceipt({
      ...shared,
      vendorStatus: `digits:${digits}:${pressed.timesAsked}`,
      status: 'answered',
    });
    return { kind: 'verified', receipts: [{ ...receipt, digits }], pressed };
  }
  const status = Object.hasOwn(callStatuses, vendorStatus) ? callStatuses[vendorStatus] : undefined;
  if (status === undefined) return { kind: 'verified', receipts: [] };
  return { kind: 'verified', receipts: [toReceipt({ ...shared, vendorStatus, status })] };
}

function toReceipt(input: {
  provider: 'twilio-sms' | 'twilio-voice';
  sid: string;
  vendorStatus: string;
  status: ReceiptStatus;
  form: URLSearchParams;
  request: WebhookRequest;
  nowMs: number;
  pathKeys: readonly string[];
}): Receipt {
  const { provider, sid, status, form, nowMs } = input;
  const vendorCode = form.get('ErrorCode') ?? undefined;
  const attemptId = readWebhookAddress({ url: input.request.url, provider, keys: input.pathKeys });
  const toldMs = Date.parse(form.get('Timestamp') ?? '');
  return {
    provider,
    providerMessageId: sid,
    status,
    atMs: Number.isNaN(toldMs) ? nowMs : toldMs,
    eventId: `${sid}:${input.vendorStatus}`,
    ...(attemptId !== undefined && { attemptId }),
    ...(vendorCode !== undefined && { vendorCode }),
    ...(status === 'failed' && { errorClass: meaningOfTwilioCode(vendorCode)?.errorClass ?? 'next' }),
  };
}
