import { toFailure, toMalformed } from '../http/failed-answer.ts';
import { readJson, textAt } from '../http/read-json.ts';
import type { VendorHttp } from '../http/vendor-http.ts';
import { accepted } from '../provider.ts';
import type { IncidentMessage, IncidentProvider } from './incident-provider.ts';

export interface PagerDutySettings {
  /** Of the service's Events API v2 integration. */
  readonly routingKey: string;
  /** `https://events.pagerduty.com`, or whoever plays it. */
  readonly baseUrl: string;
}

const maxSummaryCharacters = 1_024;

/**
 * Incidents through PagerDuty's Events API v2. The same `dedupKey` twice is one incident, so a repetition does no harm, and it is the id
 * that is given back. Source: developer.pagerduty.com, "Send an Alert Event".
 */
export function createPagerDuty({
  settings,
  http,
}: {
  settings: PagerDutySettings;
  http: VendorHttp;
}): IncidentProvider {
  return {
    name: 'pagerduty',
    channel: 'incident',
    async send(message, context) {
      const answer = await http.post(
        {
          url: `${settings.baseUrl}/v2/enqueue`,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ routing_key: settings.routingKey, ...toEvent(message, context.attemptId) }),
        },
        context,
      );
      if (answer.kind === 'failed') return answer;
      if (answer.status >= 300) return toFailure(answer, {});
      const key = textAt(readJson(answer.body), 'dedup_key');
      return key === undefined ? toMalformed(answer) : accepted(key);
    },
  };
}

function toEvent(message: IncidentMessage, attemptId: string): object {
  const event = { event_action: message.action, dedup_key: message.dedupKey };
  if (message.action !== 'trigger') return event;
  return {
    ...event,
    client: 'HushRyd',
    links: message.links ?? [],
    payload: {
      summary: message.summary.slice(0, maxSummaryCharacters),
      source: message.source,
      severity: message.severity,
      timestamp: new Date(message.occurredAtMs).toISOString(),
      custom_details: { ...message.customDetails, attempt_id: attemptId },
    },
  };
}
