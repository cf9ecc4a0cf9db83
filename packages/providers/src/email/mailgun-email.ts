import { type CodeMeaning, toFailure, toMalformed } from '../http/failed-answer.ts';
import { readJson, textAt } from '../http/read-json.ts';
import type { VendorHttp } from '../http/vendor-http.ts';
import { accepted } from '../provider.ts';
import type { EmailProvider } from './email-provider.ts';

export interface MailgunSettings {
  readonly apiKey: string;
  readonly domain: string;
  /** `HushRyd <alerts@example.org>` */
  readonly from: string;
  /** `https://api.mailgun.net`, `https://api.eu.mailgun.net`, or whoever plays it. */
  readonly baseUrl: string;
}

/**
 * Mail through Mailgun's v3 API. Links are left as they are and openings are not counted. Receipts go to the address in Mailgun's
 * settings; `v:attempt_id` comes back in them. Source: documentation.mailgun.com, "Send an email".
 */
export function createMailgun({ settings, http }: { settings: MailgunSettings; http: VendorHttp }): EmailProvider {
  const authorization = `Basic ${Buffer.from(`api:${settings.apiKey}`).toString('base64')}`;
  return {
    name: 'mailgun',
    channel: 'email',
    async send({ to, subject, text, html, replyTo }, context) {
      const form = new URLSearchParams({
        from: settings.from,
        to,
        subject,
        text,
        html,
        'v:attempt_id': context.attemptId,
        'o:tracking': 'no',
        ...(replyTo !== undefined && { 'h:Reply-To': replyTo }),
      });
      const answer = await http.post(
        {
          url: `${settings.baseUrl}/v3/${settings.domain}/messages`,
          headers: { 'content-type': 'application/x-www-form-urlencoded', authorization },
          body: form.toString(),
        },
        context,
      );
      if (answer.kind === 'failed') return answer;
      const body = readJson(answer.body);
      if (answer.status >= 300) return toFailure(answer, { meaning: meaningOf(textAt(body, 'message')) });
      // `<id@domain>` here, without the brackets in receipts.
      const id = textAt(body, 'id')?.replace(/^<|>$/g, '');
      return id === undefined ? toMalformed(answer) : accepted(id);
    },
  };
}

/** Mailgun has no codes: its sentences are all there is. */
function meaningOf(message: string | undefined): CodeMeaning | undefined {
  if (message !== undefined && /'to' parameter is not a valid address/i.test(message)) {
    return { errorClass: 'give-up', reason: 'recipient-invalid' };
  }
  if (message !== undefined && /disabled|suspended|not allowed to send|free accounts/i.test(message)) {
    return { errorClass: 'next', reason: 'suspended' };
  }
  return undefined;
}
