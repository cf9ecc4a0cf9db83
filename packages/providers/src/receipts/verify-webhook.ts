import type { ProviderName } from '../provider.ts';
import { verifyExotel } from './exotel-receipts.ts';
import { verifyMailgun } from './mailgun-receipts.ts';
import { verifyMsg91 } from './msg91-receipts.ts';
import { refused, type WebhookRequest, type WebhookVerdict } from './receipt.ts';
import { verifySendgrid } from './sendgrid-receipts.ts';
import { verifyTwilio } from './twilio-receipts.ts';
import { verifyWhatsApp } from './whatsapp-receipts.ts';

/** Each a list: the current secret first, then the previous one while it is rotated. Empty where the company is not used. */
export interface WebhookKeys {
  readonly path: readonly string[];
  readonly twilio: readonly string[];
  readonly sendgrid: readonly string[];
  readonly mailgun: readonly string[];
  readonly whatsapp: readonly string[];
  /** Of Meta's handshake: see answerMetaChallenge. */
  readonly whatsappVerifyTokens: readonly string[];
}

/** Companies that tell us what became of a message. */
export const tellingProviders = [
  'twilio-sms',
  'twilio-voice',
  'msg91',
  'whatsapp-cloud',
  'sendgrid',
  'mailgun',
  'exotel',
] as const satisfies readonly ProviderName[];

export type TellingProvider = (typeof tellingProviders)[number];

/**
 * Whether a webhook is genuine, and what it says. Pure: nothing is read or stored.
 *
 * Answer 2xx only after the receipts are stored, 403 to what is refused. `eventId` finds repetitions, `isProgress` steps back.
 *
 * @param provider from the address that was asked: `/v1/webhooks/PROVIDER…`
 */
export function verifyWebhook({
  provider,
  request,
  keys,
  nowMs,
}: {
  provider: TellingProvider;
  request: WebhookRequest;
  keys: WebhookKeys;
  nowMs: number;
}): WebhookVerdict {
  switch (provider) {
    case 'twilio-sms':
    case 'twilio-voice':
      return verifyTwilio(request, { keys: keys.twilio, pathKeys: keys.path, nowMs });
    case 'msg91':
      return verifyMsg91(request, { keys: keys.path, nowMs });
    case 'exotel':
      return verifyExotel(request, { keys: keys.path, nowMs });
    case 'whatsapp-cloud':
      return verifyWhatsApp(request, { keys: keys.whatsapp, nowMs });
    case 'sendgrid':
      return verifySendgrid(request, { keys: keys.sendgrid, nowMs });
    case 'mailgun':
      return verifyMailgun(request, { keys: keys.mailgun, nowMs });
    default:
      return refused('malformed');
  }
}
