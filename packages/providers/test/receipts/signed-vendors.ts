import { generateKeyPairSync, sign } from 'node:crypto';
import twilio from 'twilio';
import { signForMailgun, verifyMailgun } from '../../src/receipts/mailgun-receipts.ts';
import type { RefusalReason, WebhookRequest, WebhookVerdict } from '../../src/receipts/receipt.ts';
import { verifySendgrid } from '../../src/receipts/sendgrid-receipts.ts';
import { verifyTwilio } from '../../src/receipts/twilio-receipts.ts';
import { webhookAddress } from '../../src/receipts/webhook-addresses.ts';
import { signForMeta, verifyWhatsApp } from '../../src/receipts/whatsapp-receipts.ts';

export const nowMs = Date.parse('2026-03-01T08:00:00Z');
const nowSeconds = String(nowMs / 1000);
const baseUrl = 'https://api.example/v1/webhooks';
const pathKey = 'a path key of at least 32 characters';

/** A vendor's genuine request and its variations, made by the vendor's own rules. */
export interface SignedVendor {
  readonly name: string;
  readonly keys: { readonly current: string; readonly previous: string; readonly wrong: string };
  make(input: { key: string; atSeconds?: string; tamper?: (body: string) => string }): WebhookRequest;
  verify(request: WebhookRequest, keys: readonly string[]): WebhookVerdict;
  /** The same request with its signature changed. */
  withSignature(request: WebhookRequest, change: (signature: string) => string | undefined): WebhookRequest;
  /** False where the vendor signs no time. */
  readonly hasTime: boolean;
  /** What a body means that somebody changed on its way. Mailgun does not sign its events. */
  readonly tampered: RefusalReason | 'not covered';
}

export const toRequest = (url: string, headers: Record<string, string>, body: string): WebhookRequest => ({
  method: 'POST',
  url,
  headers,
  rawBody: Buffer.from(body),
});
const withHeader = (name: string) => (request: WebhookRequest, change: (signature: string) => string | undefined) => ({
  ...request,
  headers: { ...request.headers, [name]: change(String(request.headers[name])) },
});

const pairs = Array.from({ length: 3 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const ecKeys = new Map(
  pairs.map(({ publicKey, privateKey }) => [
    publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    privateKey,
  ]),
);
const [ecCurrent = '', ecPrevious = '', ecWrong = ''] = [...ecKeys.keys()];
const words = { current: 'secret-of-today', previous: 'secret-of-yesterday', wrong: 'secret-of-a-stranger' };

export const signedVendors: readonly SignedVendor[] = [
  {
    name: 'Twilio',
    keys: words,
    hasTime: false,
    tampered: 'signature-wrong',
    make({ key, tamper = (body) => body }) {
      const url = webhookAddress({ baseUrl, provider: 'twilio-sms', attemptId: 'a-1', key: pathKey });
      const fields = { MessageSid: 'SM1', MessageStatus: 'delivered', To: '+919800000000', Body: 'ä & b' };
      const signature = twilio.getExpectedTwilioSignature(key, url, fields);
      return toRequest(url, { 'x-twilio-signature': signature }, tamper(new URLSearchParams(fields).toString()));
    },
    verify: (request, keys) => verifyTwilio(request, { keys, pathKeys: [pathKey], nowMs }),
    withSignature: withHeader('x-twilio-signature'),
  },
  {
    name: 'SendGrid',
    keys: { current: ecCurrent, previous: ecPrevious, wrong: ecWrong },
    hasTime: true,
    tampered: 'signature-wrong',
    make({ key, atSeconds = nowSeconds, tamper = (body) => body }) {
      const event = {
        event: 'delivered',
        sg_event_id: 'e1',
        sg_message_id: 'm1.recvd-1',
        timestamp: nowMs / 1000,
        attempt_id: 'a-1',
      };
      const body = JSON.stringify([event]);
      const signature = sign('sha256', Buffer.from(`${atSeconds}${body}`), ecKeys.get(key)!).toString('base64');
      const headers = {
        'x-twilio-email-event-webhook-signature': signature,
        'x-twilio-email-event-webhook-timestamp': atSeconds,
      };
      return toRequest(`${baseUrl}/sendgrid`, headers, tamper(body));
    },
    verify: (request, keys) => verifySendgrid(request, { keys, nowMs }),
    withSignature: withHeader('x-twilio-email-event-webhook-signature'),
  },
  {
    name: 'Meta',
    keys: words,
    hasTime: false,
    tampered: 'signature-wrong',
    make({ key, tamper = (body) => body }) {
      const status = { id: 'wamid.1', status: 'delivered', timestamp: nowSeconds, biz_opaque_callback_data: 'a-1' };
      const body = JSON.stringify({ entry: [{ changes: [{ value: { statuses: [status] } }] }] });
      return toRequest(
        `${baseUrl}/whatsapp-cloud`,
        { 'x-hub-signature-256': signForMeta(key, Buffer.from(body)) },
        tamper(body),
      );
    },
    verify: (request, keys) => verifyWhatsApp(request, { keys, nowMs }),
    withSignature: withHeader('x-hub-signature-256'),
  },
  {
    name: 'Mailgun',
    keys: words,
    hasTime: true,
    tampered: 'not covered',
    make({ key, atSeconds = nowSeconds, tamper = (body) => body }) {
      const token = 'a'.repeat(50);
      const signature = {
        timestamp: atSeconds,
        token,
        signature: signForMailgun({ key, timestamp: atSeconds, token }),
      };
      const event = {
        event: 'delivered',
        id: 'e1',
        timestamp: nowMs / 1000,
        message: { headers: { 'message-id': 'm1@x' } },
        'user-variables': { attempt_id: 'a-1' },
      };
      return toRequest(`${baseUrl}/mailgun`, {}, tamper(JSON.stringify({ signature, 'event-data': event })));
    },
    verify: (request, keys) => verifyMailgun(request, { keys, nowMs }),
    withSignature(request, change) {
      const body = JSON.parse(request.rawBody.toString());
      body.signature.signature = change(body.signature.signature);
      return { ...request, rawBody: Buffer.from(JSON.stringify(body)) };
    },
  },
];
