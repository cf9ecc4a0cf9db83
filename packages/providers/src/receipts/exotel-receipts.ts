import { readSignedAttempt } from './attempt-mac.ts';
import { readIndianTime } from './indian-time.ts';
import { readFields } from './read-fields.ts';
import {
  type Receipt,
  type ReceiptStatus,
  refused,
  type VerifyOptions,
  type WebhookRequest,
  type WebhookVerdict,
} from './receipt.ts';
import { accountAttempt, readWebhookAddress } from './webhook-addresses.ts';

const statuses: Readonly<Record<string, ReceiptStatus>> = {
  queued: 'accepted',
  ringing: 'ringing',
  'in-progress': 'answered',
  completed: 'completed',
  busy: 'busy',
  'no-answer': 'no-answer',
  failed: 'failed',
  canceled: 'failed',
};

/**
 * What Exotel says of a call: its StatusCallback (a form, sent to the address that came with the call) and the keys that a flow's
 * passthru applet passes on (GET, to one address for all calls, the attempt signed in `CustomField`).
 *
 * After a key the flow takes one of two ways: see answer-keys. Exotel signs nothing, so the address carries a MAC, and so does `CustomField`.
 *
 * @param options.keys of webhookAddress. Source: developer.exotel.com, "StatusCallback", "Passthru applet".
 */
export function verifyExotel(request: WebhookRequest, { keys, nowMs }: VerifyOptions): WebhookVerdict {
  const addressed = readWebhookAddress({ url: request.url, provider: 'exotel', keys });
  if (addressed === undefined) return refused('signature-wrong');
  const fields = readFields(request);
  const sid = fields.get('CallSid');
  if (!sid) return refused('malformed');
  const attemptId = addressed === accountAttempt ? attemptOf(fields, keys) : addressed;
  // The address of a flow serves every call: only what is signed says whose keys these are.
  if (attemptId === undefined) return refused('signature-wrong');

  const digits = fields.get('digits')?.replaceAll(/["']/g, '').trim();
  if (digits) {
    const vendorStatus = `digits:${digits}`;
    const receipt = { fields, sid, attemptId, nowMs, vendorStatus, status: 'answered', digits } as const;
    return { ...verified(receipt), pressed: { digits, timesAsked: 1, language: 'en-IN' } };
  }
  const vendorStatus = fields.get('Status') ?? fields.get('CallStatus') ?? '';
  const answered = fields.get('EventType') === 'answered';
  const status = answered ? 'answered' : (Object.hasOwn(statuses, vendorStatus) && statuses[vendorStatus]) || undefined;
  if (status === undefined) return { kind: 'verified', receipts: [] };
  return verified({ fields, sid, attemptId, nowMs, vendorStatus: answered ? 'answered' : vendorStatus, status });
}

/**
 * A flow's gather applet asks what to say (GET, one address for all calls).
 *
 * @returns whose call it is; undefined where nothing of ours is in it
 */
export function readExotelPrompt(
  request: WebhookRequest,
  keys: readonly string[],
): { attemptId: string; providerMessageId: string } | undefined {
  if (readWebhookAddress({ url: request.url, provider: 'exotel', keys }) === undefined) return undefined;
  const fields = readFields(request);
  const attemptId = attemptOf(fields, keys);
  const providerMessageId = fields.get('CallSid');
  return attemptId === undefined || !providerMessageId ? undefined : { attemptId, providerMessageId };
}

/** What the gather applet expects back. Source: support.exotel.com, "Working with Gather Applet". */
export function toExotelPrompt({ sayText, maxDigits }: { sayText: string; maxDigits: number }): {
  contentType: string;
  body: string;
} {
  const prompt = { text: sayText };
  return {
    contentType: 'application/json',
    body: JSON.stringify({
      gather_prompt: prompt,
      max_input_digits: maxDigits,
      finish_on_key: '#',
      input_timeout: 10,
      repeat_menu: 2,
      repeat_gather_prompt: prompt,
    }),
  };
}

function attemptOf(fields: URLSearchParams, keys: readonly string[]): string | undefined {
  return readSignedAttempt({ provider: 'exotel', signed: fields.get('CustomField') ?? undefined, keys });
}

function verified(input: {
  fields: URLSearchParams;
  sid: string;
  attemptId: string;
  nowMs: number;
  vendorStatus: string;
  status: ReceiptStatus;
  digits?: string;
}): Extract<WebhookVerdict, { kind: 'verified' }> {
  const { fields, sid, attemptId, nowMs, vendorStatus, status, digits } = input;
  const receipt: Receipt = {
    provider: 'exotel',
    providerMessageId: sid,
    attemptId,
    status,
    atMs: readIndianTime(fields.get('DateUpdated')) ?? nowMs,
    eventId: `${sid}:${vendorStatus}`,
    ...(status === 'failed' && { vendorCode: vendorStatus, errorClass: 'next' as const }),
    ...(digits !== undefined && { digits }),
  };
  return { kind: 'verified', receipts: [receipt] };
}
