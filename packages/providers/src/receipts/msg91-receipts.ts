import { at, type Json, readJson, textAt } from '../http/read-json.ts';
import type { ErrorClass } from '../provider.ts';
import { readSignedAttempt } from './attempt-mac.ts';
import { readIndianTime } from './indian-time.ts';
import {
  type Receipt,
  type ReceiptStatus,
  refused,
  type VerifyOptions,
  type WebhookRequest,
  type WebhookVerdict,
} from './receipt.ts';
import { readWebhookAddress } from './webhook-addresses.ts';

/** Source: msg91.com/help, "How to use Webhook to get the delivery report". Others are stages that MSG91 does not document. */
const statuses: Readonly<Record<string, { status: ReceiptStatus; errorClass?: ErrorClass }>> = {
  '1': { status: 'delivered' },
  '2': { status: 'failed', errorClass: 'next' },
  '9': { status: 'failed', errorClass: 'give-up' },
  '16': { status: 'failed', errorClass: 'next' },
  '17': { status: 'failed', errorClass: 'give-up' },
  '25': { status: 'failed', errorClass: 'next' },
};

/**
 * MSG91's delivery reports, in any of its forms: a form with a JSON list (version 2), one JSON object (version 3 and its new webhooks).
 *
 * MSG91 signs nothing and has one address for all messages. So the address carries a MAC, and each report the attempt with its MAC in
 * `CRQID`; a report without is still true, but only `providerMessageId` says what it is about.
 *
 * @param options.keys of webhookAddress
 */
export function verifyMsg91(request: WebhookRequest, { keys, nowMs }: VerifyOptions): WebhookVerdict {
  const attemptId = readWebhookAddress({ url: request.url, provider: 'msg91', keys });
  if (attemptId === undefined) return refused('signature-wrong');
  const reports = readReports(request.rawBody.toString('utf8'));
  if (reports === undefined) return refused('malformed');
  return { kind: 'verified', receipts: reports.flatMap((report) => toReceipt(report, { keys, nowMs }) ?? []) };
}

interface Report {
  readonly requestId: string | undefined;
  readonly fields: Json;
}

function readReports(text: string): Report[] | undefined {
  const whole = readJson(text) ?? readJson(new URLSearchParams(text).get('data') ?? '');
  if (typeof whole !== 'object' || whole === null) return undefined;
  return (Array.isArray(whole) ? whole : [whole]).flatMap((entry) => {
    const requestId = textAt(entry, 'requestId');
    const list = at(entry, 'report');
    return (Array.isArray(list) ? list : [entry]).map((fields) => ({ requestId, fields }));
  });
}

function toReceipt({ requestId, fields }: Report, { keys, nowMs }: VerifyOptions): Receipt | undefined {
  const code = textAt(fields, 'status') ?? '';
  const known = Object.hasOwn(statuses, code) ? statuses[code] : undefined;
  if (known === undefined || requestId === undefined) return undefined;
  const attemptId = readSignedAttempt({ provider: 'msg91', signed: textAt(fields, 'CRQID'), keys });
  return {
    provider: 'msg91',
    providerMessageId: requestId,
    status: known.status,
    atMs: readIndianTime(textAt(fields, 'date') ?? textAt(fields, 'deliveryTime')) ?? nowMs,
    eventId: `${requestId}:${code}`,
    ...(attemptId !== undefined && { attemptId }),
    ...(known.status === 'failed' && { vendorCode: code, errorClass: known.errorClass ?? 'next' }),
  };
}
