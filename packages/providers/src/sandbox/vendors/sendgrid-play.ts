import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { at, type Json, readJson, textAt } from '../../http/read-json.ts';
import type { SandboxCredentials } from '../credentials.ts';
import { bearerToken, json, type PlayedEvent, type VendorPlay } from './vendor-play.ts';

const vendorEvent: Partial<Record<PlayedEvent, object>> = {
  accepted: { event: 'processed' },
  delivered: { event: 'delivered', response: '250 OK' },
  read: { event: 'open' },
  undelivered: {
    event: 'bounce',
    type: 'bounce',
    status: '5.1.1',
    reason: '550 5.1.1 The email account does not exist',
  },
};

const errors = (message: string, field: string | null = null) => ({ errors: [{ message, field, help: null }] });

/** Mail send of SendGrid's v3 API, with its signed event webhook. */
export function createSendgridPlay({ apiKey, privateKey }: SandboxCredentials['sendgrid']): VendorPlay {
  const signingKey = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
  return {
    provider: 'sendgrid',
    channel: 'email',
    matches: (call) => call.method === 'POST' && call.path === '/v3/mail/send',
    isGenuine: (call) => bearerToken(call) === apiKey,
    read(call) {
      const body = readJson(call.body);
      const to = textAt(body, 'personalizations', 0, 'to', 0, 'email');
      if (to === undefined || !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(to)) return this.refuse('invalid-recipient', {});
      const from = textAt(body, 'from', 'email');
      if (from === undefined)
        return json(400, errors('The from object must be provided for every email send.', 'from'));
      const subject = textAt(body, 'subject') ?? textAt(body, 'personalizations', 0, 'subject');
      if (subject === undefined) return json(400, errors('The subject is required.', 'subject'));
      const text = contentOf(body, 'text/plain');
      const html = contentOf(body, 'text/html');
      return {
        id: randomBytes(16).toString('base64url'),
        recipient: to,
        attemptId:
          textAt(body, 'custom_args', 'attempt_id') ?? textAt(body, 'personalizations', 0, 'custom_args', 'attempt_id'),
        content: { from, subject, ...(text !== undefined && { text }), ...(html !== undefined && { html }) },
      };
    },
    accept: ({ id }) => ({ status: 202, headers: { 'x-message-id': id }, body: '' }),
    refuse(mode, { retryAfterSeconds = 2 }) {
      switch (mode) {
        case '500':
          return json(500, errors('Internal server error'));
        case '429':
          // No Retry-After, as documented: when the limit ends, in epoch seconds.
          return json(429, errors('too many requests'), {
            'x-ratelimit-limit': '600',
            'x-ratelimit-remaining': '0',
            'x-ratelimit-reset': String(Math.floor(Date.now() / 1_000) + retryAfterSeconds),
          });
        case 'auth':
          return json(401, errors('The provided authorization grant is invalid, expired, or revoked'));
        case 'invalid-recipient':
          return json(400, errors('Does not contain a valid address.', 'personalizations.0.to.0.email'));
        case 'error-in-200':
          return json(200, errors('Mail could not be queued.'));
      }
    },
    receipt({ message, order, event, accountUrl, nowMs }) {
      const words = vendorEvent[event];
      if (words === undefined || accountUrl === undefined) return undefined;
      const fact = {
        email: message.recipient,
        timestamp: Math.floor(nowMs / 1_000),
        'smtp-id': `<${message.id}@ismtpd-sandbox>`,
        sg_event_id: Buffer.from(`${message.id}:${event}`).toString('base64url'),
        sg_message_id: `${message.id}.recvd-${message.seq}-1.0`,
        ...words,
        ...(order.attemptId !== undefined && { attempt_id: order.attemptId }),
      };
      const body = JSON.stringify([fact]);
      const timestamp = String(Math.floor(nowMs / 1_000));
      const signature = sign('sha256', Buffer.from(`${timestamp}${body}`), signingKey).toString('base64');
      return {
        method: 'POST',
        url: accountUrl,
        headers: {
          'content-type': 'application/json',
          'x-twilio-email-event-webhook-signature': signature,
          'x-twilio-email-event-webhook-timestamp': timestamp,
        },
        body,
      };
    },
  };
}

function contentOf(body: Json, type: string): string | undefined {
  const contents = at(body, 'content');
  const found = (Array.isArray(contents) ? contents : []).find((content) => textAt(content, 'type') === type);
  return textAt(found, 'value');
}
