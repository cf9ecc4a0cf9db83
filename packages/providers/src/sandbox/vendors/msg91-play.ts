import { randomBytes } from 'node:crypto';
import { at, readJson, textAt } from '../../http/read-json.ts';
import type { SandboxCredentials } from '../credentials.ts';
import { invalidNumber, isPhoneNumber, json, type PlayedEvent, type VendorPlay } from './vendor-play.ts';

const reports: Partial<Record<PlayedEvent, [status: string, description: string]>> = {
  delivered: ['1', 'DELIVERED'],
  undelivered: ['2', 'FAILED'],
};

const error = (code: string, message: string) => ({ type: 'error', code, message });

/** The Flow API. MSG91 refuses with an error in a 200, but wrong credentials with 401; it signs no report. */
export function createMsg91Play({ authKey, senderId }: SandboxCredentials['msg91']): VendorPlay {
  return {
    provider: 'msg91',
    channel: 'sms',
    matches: (call) => call.method === 'POST' && /^\/api\/v5\/flow\/?$/.test(call.path),
    isGenuine: (call) => call.headers.authkey === authKey,
    read(call) {
      const body = readJson(call.body);
      const recipient = at(body, 'recipients', 0);
      const mobiles = textAt(recipient, 'mobiles');
      const template = textAt(body, 'template_id');
      if (template === undefined) return json(200, error('400', 'template_id is missing'));
      if (mobiles === undefined) return json(200, error('101', 'Missing mobile no.'));
      const to = `+${mobiles}`;
      if (to === invalidNumber || !isPhoneNumber(to)) return json(200, error('202', 'Invalid mobile number'));
      const { mobiles: _, CRQID, ...variables } = recipient as Record<string, string>;
      return {
        id: randomBytes(12).toString('hex'),
        recipient: to,
        attemptId: CRQID?.split(':')[0],
        content: { from: senderId, text: Object.values(variables).join(' '), data: { template, ...variables } },
        ...(CRQID !== undefined && { echo: CRQID }),
      };
    },
    accept: ({ id }) => json(200, { message: id, type: 'success' }),
    refuse(mode, { retryAfterSeconds = 2 }) {
      switch (mode) {
        case '500':
          return json(500, { type: 'error', message: 'Internal Server Error' });
        case '429':
          return json(429, error('429', 'Too many requests'), { 'retry-after': String(retryAfterSeconds) });
        case 'auth':
          return json(401, error('201', 'Invalid authkey'));
        case 'invalid-recipient':
          return json(200, error('202', 'Invalid mobile number'));
        case 'error-in-200':
          return json(200, error('301', 'Insufficient balance to send SMS'));
      }
    },
    receipt({ message, order, event, accountUrl, nowMs }) {
      const report = reports[event];
      if (report === undefined || accountUrl === undefined) return undefined;
      const [status, desc] = report;
      // MSG91 writes the time of India.
      const date = new Date(nowMs + 5.5 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
      const fields = {
        date,
        number: message.recipient.slice(1),
        status,
        desc,
        CRQID: order.echo ?? '0',
        failedReason: '',
      };
      const data = [{ senderId, requestId: message.id, report: [fields], userId: '1', campaignName: 'API' }];
      return {
        method: 'POST',
        url: accountUrl,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ data: JSON.stringify(data) }).toString(),
      };
    },
  };
}
