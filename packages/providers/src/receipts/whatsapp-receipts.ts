import { createHmac } from 'node:crypto';
import { at, type Json, readJson, textAt } from '../http/read-json.ts';
import { meaningOfWhatsAppCode } from '../whatsapp/whatsapp-codes.ts';
import { isSame } from './is-same.ts';
import { readUrl } from './read-fields.ts';
import {
  headerOf,
  type Receipt,
  type ReceiptStatus,
  refused,
  type VerifyOptions,
  type WebhookRequest,
  type WebhookVerdict,
} from './receipt.ts';

const statuses: Readonly<Record<string, ReceiptStatus>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  failed: 'failed',
};

/**
 * Meta's webhook for WhatsApp: `X-Hub-Signature-256` is an HMAC-SHA256 of the body. It signs no time: replays are found by their event
 * id. What people write to us, and all else in it, is left out.
 *
 * @param options.keys app secrets. Source: developers.facebook.com/docs/graph-api/webhooks.
 */
export function verifyWhatsApp(request: WebhookRequest, { keys, nowMs }: VerifyOptions): WebhookVerdict {
  const given = headerOf(request, 'x-hub-signature-256');
  if (given === undefined) return refused('signature-missing');
  if (!keys.some((key) => isSame(given, signForMeta(key, request.rawBody)))) return refused('signature-wrong');
  const entries = at(readJson(request.rawBody.toString('utf8')), 'entry');
  if (!Array.isArray(entries)) return refused('malformed');
  const found = entries
    .flatMap((entry) => listAt(entry, 'changes'))
    .flatMap((change) => listAt(change, 'value', 'statuses'))
    .flatMap((status) => toReceipt(status, nowMs) ?? []);
  return { kind: 'verified', receipts: found };
}

/**
 * The handshake when the address is typed into Meta's panel: `GET ?hub.mode=subscribe&hub.verify_token=…&hub.challenge=…`.
 *
 * @returns what must be answered as plain text; undefined where the token is not ours
 */
export function answerMetaChallenge(url: string, verifyTokens: readonly string[]): string | undefined {
  const query = readUrl(url)?.searchParams;
  const token = query?.get('hub.verify_token') ?? '';
  if (query?.get('hub.mode') !== 'subscribe' || !verifyTokens.some((expected) => isSame(token, expected)))
    return undefined;
  return query.get('hub.challenge') ?? undefined;
}

export function signForMeta(appSecret: string, rawBody: Buffer): string {
  return `sha256=${createHmac('sha256', appSecret).update(rawBody).digest('hex')}`;
}

function toReceipt(json: Json, nowMs: number): Receipt | undefined {
  const name = textAt(json, 'status') ?? '';
  const status = Object.hasOwn(statuses, name) ? statuses[name] : undefined;
  const id = textAt(json, 'id');
  if (status === undefined || id === undefined) return undefined;
  const seconds = Number(textAt(json, 'timestamp'));
  const attemptId = textAt(json, 'biz_opaque_callback_data');
  const vendorCode = textAt(json, 'errors', 0, 'code');
  return {
    provider: 'whatsapp-cloud',
    providerMessageId: id,
    status,
    atMs: Number.isNaN(seconds) ? nowMs : seconds * 1_000,
    eventId: `${id}:${name}`,
    ...(attemptId !== undefined && { attemptId }),
    ...(vendorCode !== undefined && { vendorCode }),
    ...(status === 'failed' && { errorClass: meaningOfWhatsAppCode(vendorCode)?.errorClass ?? 'next' }),
  };
}

function listAt(json: Json, ...path: string[]): Json[] {
  const list = at(json, ...path);
  return Array.isArray(list) ? list : [];
}
