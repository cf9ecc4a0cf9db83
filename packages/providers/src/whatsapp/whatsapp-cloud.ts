import { toFailure, toMalformed } from '../http/failed-answer.ts';
import { readJson, textAt } from '../http/read-json.ts';
import type { VendorHttp } from '../http/vendor-http.ts';
import { accepted } from '../provider.ts';
import { meaningOfWhatsAppCode } from './whatsapp-codes.ts';
import type { WhatsAppMessage, WhatsAppProvider } from './whatsapp-provider.ts';

export interface WhatsAppCloudSettings {
  readonly phoneNumberId: string;
  readonly accessToken: string;
  /** With the version of the API: `https://graph.facebook.com/v23.0`, or whoever plays it. */
  readonly baseUrl: string;
}

/**
 * Template messages through Meta's WhatsApp Cloud API. Receipts go to the address in the app's settings; `biz_opaque_callback_data` comes
 * back in them. Source: developers.facebook.com, WhatsApp, "Messages".
 */
export function createWhatsAppCloud({
  settings,
  http,
}: {
  settings: WhatsAppCloudSettings;
  http: VendorHttp;
}): WhatsAppProvider {
  return {
    name: 'whatsapp-cloud',
    channel: 'whatsapp',
    async send(message, context) {
      const answer = await http.post(
        {
          url: `${settings.baseUrl}/${settings.phoneNumberId}/messages`,
          headers: { 'content-type': 'application/json', authorization: `Bearer ${settings.accessToken}` },
          body: JSON.stringify(toBody(message, context.attemptId)),
        },
        context,
      );
      if (answer.kind === 'failed') return answer;
      const body = readJson(answer.body);
      const id = textAt(body, 'messages', 0, 'id');
      const vendorCode = textAt(body, 'error', 'code');
      const meaning = meaningOfWhatsAppCode(vendorCode);
      if (answer.status >= 300) return toFailure(answer, { vendorCode, meaning });
      return id === undefined ? toMalformed(answer, vendorCode) : accepted(id);
    },
  };
}

function toBody({ to, template }: WhatsAppMessage, attemptId: string): object {
  const toText = (text: string) => ({ type: 'text', text });
  const body = { type: 'body', parameters: template.bodyParameters.map(toText) };
  const button =
    template.buttonUrlSuffix === undefined
      ? []
      : [{ type: 'button', sub_type: 'url', index: '0', parameters: [toText(template.buttonUrlSuffix)] }];
  return {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    to,
    type: 'template',
    biz_opaque_callback_data: attemptId,
    template: {
      name: template.name,
      language: { code: template.languageCode },
      // Meta refuses an empty list of parameters.
      components: [...(template.bodyParameters.length > 0 ? [body] : []), ...button],
    },
  };
}
