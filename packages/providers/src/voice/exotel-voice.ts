import { type CodeMeaning, toFailure, toMalformed } from '../http/failed-answer.ts';
import { readJson, textAt } from '../http/read-json.ts';
import type { VendorHttp } from '../http/vendor-http.ts';
import { accepted } from '../provider.ts';
import { signAttempt } from '../receipts/attempt-mac.ts';
import type { VoiceProvider } from './voice-provider.ts';

export interface ExotelSettings {
  readonly accountSid: string;
  readonly apiKey: string;
  readonly apiToken: string;
  /** The ExoPhone that calls. */
  readonly callerId: string;
  /** The flow that speaks: gather applet, then passthru applet. */
  readonly flowId: string;
  /** `https://api.exotel.com`, `https://api.in.exotel.com`, or whoever plays it. */
  readonly baseUrl: string;
  /** Signs what Exotel gives back, which it does not sign itself. */
  readonly pathKey: string;
}

/**
 * Calls through Exotel: the number is called and connected to a flow of its panel. The flow asks us what to say and passes on the keys
 * (receipts/exotel-receipts), so it needs us while the call lasts; `CustomField` comes back in both.
 *
 * Exotel has no error codes, so a refusal of the number is told from others by its sentence. Source: developer.exotel.com, "Outgoing
 * Call to a Call Flow".
 */
export function createExotel({ settings, http }: { settings: ExotelSettings; http: VendorHttp }): VoiceProvider {
  const { accountSid } = settings;
  const authorization = `Basic ${Buffer.from(`${settings.apiKey}:${settings.apiToken}`).toString('base64')}`;
  return {
    name: 'exotel',
    channel: 'voice',
    async send({ to, ringSeconds = 30 }, context) {
      const { attemptId, receiptUrl } = context;
      const form = new URLSearchParams({
        From: to,
        CallerId: settings.callerId,
        Url: `http://my.exotel.com/${accountSid}/exoml/start_voice/${settings.flowId}`,
        CallType: 'trans',
        TimeOut: String(ringSeconds),
        CustomField: signAttempt({ provider: 'exotel', attemptId, key: settings.pathKey }),
      });
      if (receiptUrl !== undefined) {
        form.set('StatusCallback', receiptUrl);
        form.set('StatusCallbackEvents[0]', 'terminal');
        form.set('StatusCallbackEvents[1]', 'answered');
      }
      const answer = await http.post(
        {
          url: `${settings.baseUrl}/v1/Accounts/${accountSid}/Calls/connect.json`,
          headers: { 'content-type': 'application/x-www-form-urlencoded', authorization },
          body: form.toString(),
        },
        context,
      );
      if (answer.kind === 'failed') return answer;
      const body = readJson(answer.body);
      if (answer.status >= 300)
        return toFailure(answer, { meaning: meaningOf(textAt(body, 'RestException', 'Message')) });
      const sid = textAt(body, 'Call', 'Sid');
      return sid === undefined ? toMalformed(answer) : accepted(sid);
    },
  };
}

function meaningOf(message: string | undefined): CodeMeaning | undefined {
  if (message === undefined) return undefined;
  if (/NDNC|DND/.test(message)) return { errorClass: 'give-up', reason: 'recipient-unsubscribed' };
  if (/invalid.*\bfrom\b|\bfrom\b.*(?:invalid|not valid)/i.test(message)) {
    return { errorClass: 'give-up', reason: 'recipient-invalid' };
  }
  return undefined;
}
