import { randomBytes } from 'node:crypto';
import { signForMailgun } from '../../receipts/mailgun-receipts.ts';
import type { SandboxCredentials } from '../credentials.ts';
import { basicCredentials, json, type PlayedEvent, type VendorPlay } from './vendor-play.ts';

const vendorEvent: Partial<Record<PlayedEvent, object>> = {
  accepted: { event: 'accepted' },
  delivered: { event: 'delivered', 'delivery-status': { code: 250, message: 'OK' } },
  read: { event: 'opened' },
  undelivered: {
    event: 'failed',
    severity: 'permanent',
    reason: 'bounce',
    'delivery-status': { code: 550, message: '5.1.1 The email account does not exist' },
  },
};

/** Messages of Mailgun's v3 API, with its signed webhook. */
export function createMailgunPlay({ apiKey, domain, signingKey }: SandboxCredentials['mailgun']): VendorPlay {
  return {
    provider: 'mailgun',
    channel: 'email',
    matches: (call) => call.method === 'POST' && /^\/v3\/[^/]+\/messages$/.test(call.path),
    isGenuine(call) {
      const { username, password } = basicCredentials(call);
      return username === 'api' && password === apiKey && call.path === `/v3/${domain}/messages`;
    },
    read(call) {
      const form = new URLSearchParams(call.body);
      const to = form.get('to') ?? '';
      if (!form.get('from')) return json(400, { message: 'from parameter is missing' });
      if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(to)) return this.refuse('invalid-recipient', {});
      if (!form.get('text') && !form.get('html')) {
        return json(400, { message: "Need at least one of 'text' or 'html' parameters specified" });
      }
      return {
        id: `${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)}.${randomBytes(8).toString('hex')}@${domain}`,
        recipient: to,
        attemptId: form.get('v:attempt_id') ?? undefined,
        content: {
          from: form.get('from') ?? '',
          subject: form.get('subject') ?? '',
          text: form.get('text') ?? '',
          html: form.get('html') ?? '',
        },
      };
    },
    accept: ({ id }) => json(200, { id: `<${id}>`, message: 'Queued. Thank you.' }),
    refuse(mode, { retryAfterSeconds = 2 }) {
      switch (mode) {
        case '500':
          return json(500, { message: 'Internal Server Error' });
        case '429':
          return json(429, { message: 'Too many requests' }, { 'retry-after': String(retryAfterSeconds) });
        case 'auth':
          return { status: 401, headers: { 'content-type': 'text/plain' }, body: 'Forbidden' };
        case 'invalid-recipient':
          return json(400, { message: "'to' parameter is not a valid address. please check documentation" });
        case 'error-in-200':
          return json(200, { message: 'Internal Server Error' });
      }
    },
    receipt({ message, order, event, accountUrl, nowMs }) {
      const words = vendorEvent[event];
      if (words === undefined || accountUrl === undefined) return undefined;
      const timestamp = String(Math.floor(nowMs / 1_000));
      const token = randomBytes(25).toString('hex');
      const data = {
        id: Buffer.from(`${message.seq}:${event}`).toString('base64url'),
        timestamp: nowMs / 1_000,
        'log-level': 'info',
        recipient: message.recipient,
        message: { headers: { 'message-id': message.id, to: message.recipient, subject: order.content.subject } },
        'user-variables': order.attemptId === undefined ? {} : { attempt_id: order.attemptId },
        ...words,
      };
      const signature = { timestamp, token, signature: signForMailgun({ key: signingKey, timestamp, token }) };
      return {
        method: 'POST',
        url: accountUrl,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ signature, 'event-data': data }),
      };
    },
  };
}
