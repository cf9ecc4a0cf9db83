import { randomBytes } from 'node:crypto';
import { at, readJson, textAt } from '../../http/read-json.ts';
import type { SandboxCredentials } from '../credentials.ts';
import { json, type VendorPlay } from './vendor-play.ts';

const invalid = (...errors: string[]) => ({ status: 'invalid event', message: 'Event object is invalid', errors });

/** PagerDuty's Events API v2. Its recipient is the service that the routing key belongs to. It sends no receipts. */
export function createPagerDutyPlay({ routingKey }: SandboxCredentials['pagerduty']): VendorPlay {
  return {
    provider: 'pagerduty',
    channel: 'incident',
    matches: (call) => call.method === 'POST' && call.path === '/v2/enqueue',
    isGenuine: (call) => textAt(readJson(call.body), 'routing_key') === routingKey,
    read(call) {
      const body = readJson(call.body);
      const action = textAt(body, 'event_action') ?? '';
      const dedupKey = textAt(body, 'dedup_key');
      if (!['trigger', 'acknowledge', 'resolve'].includes(action)) {
        return json(400, invalid("'event_action' is missing or blank"));
      }
      if (action !== 'trigger' && dedupKey === undefined) return json(400, invalid("'dedup_key' is missing or blank"));
      const payload = at(body, 'payload');
      const summary = textAt(payload, 'summary');
      if (action === 'trigger' && (summary === undefined || textAt(payload, 'source') === undefined)) {
        return json(400, invalid("'payload.summary' is missing or blank"));
      }
      const details = at(payload, 'custom_details');
      return {
        // One event is one message here, although all events of an incident have one key.
        id: `${dedupKey ?? randomBytes(16).toString('hex')}#${randomBytes(4).toString('hex')}`,
        recipient: 'on-duty',
        attemptId: textAt(details, 'attempt_id'),
        content: {
          title: action,
          text: summary ?? dedupKey ?? '',
          data: { action, dedupKey, severity: at(payload, 'severity'), details, links: at(body, 'links') },
        },
      };
    },
    accept: ({ id }) => json(202, { status: 'success', message: 'Event processed', dedup_key: id.split('#')[0] }),
    refuse(mode, { retryAfterSeconds = 2 }) {
      switch (mode) {
        case '500':
          return json(500, { status: 'error', message: 'Internal Server Error' });
        case '429':
          return json(
            429,
            { status: 'throttle exceeded', message: 'Too many requests' },
            {
              'retry-after': String(retryAfterSeconds),
            },
          );
        case 'auth':
          return json(400, invalid("'routing_key' is invalid"));
        case 'invalid-recipient':
          return json(400, invalid("'routing_key' is invalid"));
        case 'error-in-200':
          return json(200, { status: 'error', message: 'Event could not be processed' });
      }
    },
  };
}
