import { randomBytes } from 'node:crypto';
import { at, type Json, readJson, textAt } from '../../http/read-json.ts';
import { signForMeta } from '../../receipts/whatsapp-receipts.ts';
import type { SandboxCredentials } from '../credentials.ts';
import { bearerToken, invalidNumber, isPhoneNumber, json, type PlayedEvent, type VendorPlay } from './vendor-play.ts';

const vendorStatus: Partial<Record<PlayedEvent, string>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'failed',
};

const error = (code: number, title: string, details: string, type = 'OAuthException') => ({
  error: {
    message: `(#${code}) ${title}`,
    type,
    code,
    error_data: { messaging_product: 'whatsapp', details },
    fbtrace_id: randomBytes(12).toString('base64url'),
  },
});

/** The WhatsApp Cloud API, templates only, with its webhook. */
export function createWhatsAppPlay({
  phoneNumberId,
  accessToken,
  appSecret,
}: SandboxCredentials['whatsapp']): VendorPlay {
  return {
    provider: 'whatsapp-cloud',
    channel: 'whatsapp',
    matches: (call) => call.method === 'POST' && /^\/[^/]+\/messages$/.test(call.path),
    isGenuine: (call) => bearerToken(call) === accessToken && call.path === `/${phoneNumberId}/messages`,
    read(call) {
      const body = readJson(call.body);
      const to = textAt(body, 'to');
      const name = textAt(body, 'template', 'name');
      const languageCode = textAt(body, 'template', 'language', 'code');
      if (textAt(body, 'messaging_product') !== 'whatsapp') {
        return json(400, error(100, 'Invalid parameter', 'messaging_product must be whatsapp'));
      }
      if (to === undefined) return json(400, error(131008, 'Required parameter is missing', 'to'));
      if (name === undefined || languageCode === undefined) {
        return json(400, error(131008, 'Required parameter is missing', 'template'));
      }
      if (to === invalidNumber || !isPhoneNumber(to)) return this.refuse('invalid-recipient', {});
      const parameters = readParameters(body);
      return {
        id: `wamid.${randomBytes(30).toString('base64')}`,
        recipient: to,
        attemptId: textAt(body, 'biz_opaque_callback_data'),
        content: {
          from: 'HushRyd',
          title: name,
          text: parameters.join('\n'),
          data: { template: name, language: languageCode },
        },
      };
    },
    accept: ({ id, recipient }) =>
      json(200, {
        messaging_product: 'whatsapp',
        contacts: [{ input: recipient, wa_id: recipient.slice(1) }],
        messages: [{ id, message_status: 'accepted' }],
      }),
    refuse(mode, { retryAfterSeconds = 2 }) {
      switch (mode) {
        case '500':
          return json(500, error(131000, 'Something went wrong', 'Message failed to send due to an unknown error.'));
        case '429':
          return json(429, error(130429, 'Rate limit hit', 'Cloud API message throughput has been reached.'), {
            'retry-after': String(retryAfterSeconds),
          });
        case 'auth':
          return json(401, error(190, 'Access token has expired', 'Your access token has expired.'));
        case 'invalid-recipient':
          return json(400, error(131026, 'Message undeliverable', 'Unable to deliver message.'));
        case 'error-in-200':
          return json(200, error(131016, 'Service unavailable', 'A service is temporarily unavailable.'));
      }
    },
    receipt({ message, order, event, accountUrl, nowMs }) {
      const status = vendorStatus[event];
      if (status === undefined || accountUrl === undefined) return undefined;
      const fact = {
        id: message.id,
        status,
        timestamp: String(Math.floor(nowMs / 1_000)),
        recipient_id: message.recipient.slice(1),
        biz_opaque_callback_data: order.attemptId,
        ...(event === 'undelivered' && { errors: [{ code: 131026, title: 'Message undeliverable' }] }),
      };
      const metadata = { display_phone_number: '15550000000', phone_number_id: phoneNumberId };
      const value = { messaging_product: 'whatsapp', metadata, statuses: [fact] };
      const entry = [{ id: '100000000000000', changes: [{ value, field: 'messages' }] }];
      const body = JSON.stringify({ object: 'whatsapp_business_account', entry });
      return {
        method: 'POST',
        url: accountUrl,
        headers: {
          'content-type': 'application/json',
          'x-hub-signature-256': signForMeta(appSecret, Buffer.from(body)),
        },
        body,
      };
    },
  };
}

function readParameters(body: Json): string[] {
  const components = at(body, 'template', 'components');
  return (Array.isArray(components) ? components : []).flatMap((component) => {
    const parameters = at(component, 'parameters');
    return (Array.isArray(parameters) ? parameters : []).map((parameter) => textAt(parameter, 'text') ?? '');
  });
}
