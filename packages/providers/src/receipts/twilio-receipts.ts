import { meaningOfTwilioCode } from '../twilio/twilio-codes.ts';
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

/** What Twilio plays when keys have come: the call ends politely, and no silence makes the person doubt. */
const thanks = '<?xml version="1.0" encoding="UTF-8"?><Response><Say>Thank you.</Say><Hangup/></Response>';

/**
 * Receipts of Twilio's texts and calls, and keys pressed in a call (those want TwiML back: `reply`).
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
  const reply = { contentType: 'text/xml', body: thanks };
  const digits = form.get('Digits');
  const shared = { provider: 'twilio-voice', sid, form, request, nowMs, pathKeys } as const;
  if (digits !== null) {
    const receipt = toReceipt({ ...shared, vendorStatus: `digits:${digits}`, status: 'answered' });
    return { kind: 'verified', receipts: [{ ...receipt, digits }], reply };
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
