import { type CodeMeaning, toFailure, toMalformed } from '../http/failed-answer.ts';
import { readJson, textAt } from '../http/read-json.ts';
import type { VendorAnswer, VendorHttp } from '../http/vendor-http.ts';
import { accepted, failed, type SendFailure } from '../provider.ts';
import { signAttempt } from '../receipts/attempt-mac.ts';
import type { SmsProvider } from './sms-provider.ts';

export interface Msg91Settings {
  readonly authKey: string;
  /** Six letters, registered with the operators. */
  readonly senderId: string;
  /** `https://control.msg91.com`, or whoever plays it. */
  readonly baseUrl: string;
  /** Signs what MSG91 gives back in its receipts, which it does not sign itself. */
  readonly pathKey: string;
}

/** Source: MSG91's list of API error codes. It comes as `code`, or as the message itself. */
const meanings: Readonly<Record<string, CodeMeaning>> = {
  '101': { errorClass: 'give-up', reason: 'recipient-invalid' },
  '202': { errorClass: 'give-up', reason: 'recipient-invalid' },
  '106': { errorClass: 'next', reason: 'unauthorised' },
  '201': { errorClass: 'next', reason: 'unauthorised' },
  '207': { errorClass: 'next', reason: 'unauthorised' },
  '208': { errorClass: 'next', reason: 'unauthorised' },
  '418': { errorClass: 'next', reason: 'unauthorised' },
  '301': { errorClass: 'next', reason: 'suspended' },
  '302': { errorClass: 'next', reason: 'suspended' },
  '303': { errorClass: 'next', reason: 'suspended' },
  '203': { errorClass: 'next', reason: 'misconfigured' },
  '311': { errorClass: 'retry', reason: 'rate-limited' },
};

/**
 * Texts through MSG91's Flow API (v5): registered templates only. Source: docs.msg91.com, "Send SMS".
 *
 * Errors may come with status 200 and `type: "error"`. Receipts go to the one address in MSG91's panel; `CRQID` comes back in them and
 * carries the attempt with a MAC of ours.
 */
export function createMsg91Sms({ settings, http }: { settings: Msg91Settings; http: VendorHttp }): SmsProvider {
  return {
    name: 'msg91',
    channel: 'sms',
    async send({ to, dlt }, context) {
      if (dlt === undefined) return failed('next', 'unsupported', { vendorCode: 'template_missing' });
      const answer = await http.post(
        {
          url: `${settings.baseUrl}/api/v5/flow`,
          headers: { 'content-type': 'application/json', accept: 'application/json', authkey: settings.authKey },
          body: JSON.stringify({
            template_id: dlt.templateId,
            sender: settings.senderId,
            short_url: '0',
            recipients: [
              {
                ...dlt.variables,
                mobiles: to.replace('+', ''),
                CRQID: signAttempt({ provider: 'msg91', attemptId: context.attemptId, key: settings.pathKey }),
              },
            ],
          }),
        },
        context,
      );
      return answer.kind === 'failed' ? answer : readAnswer(answer);
    },
  };
}

function readAnswer(answer: VendorAnswer): ReturnType<typeof accepted> | SendFailure {
  const body = readJson(answer.body);
  const type = textAt(body, 'type');
  const message = textAt(body, 'message');
  if (answer.status < 300 && type === 'success' && message !== undefined) return accepted(message);

  const vendorCode = textAt(body, 'code') ?? (message !== undefined && /^\d{3}$/.test(message) ? message : undefined);
  const meaning = vendorCode !== undefined && Object.hasOwn(meanings, vendorCode) ? meanings[vendorCode] : undefined;
  if (answer.status >= 300) return toFailure(answer, { vendorCode, meaning });
  // Documented: an error with status 200. It says that nothing was taken.
  if (type === 'error') return toFailure({ ...answer, status: 400 }, { vendorCode, meaning });
  return toMalformed(answer, vendorCode);
}
