import type { EmailProvider } from './email/email-provider.ts';
import { createMailgun } from './email/mailgun-email.ts';
import { createSendgrid } from './email/sendgrid-email.ts';
import { createVendorHttp } from './http/vendor-http.ts';
import type { IncidentProvider } from './incident/incident-provider.ts';
import { createPagerDuty } from './incident/pagerduty-incident.ts';
import { type ProviderVariables, toProviderSettings } from './provider-settings.ts';
import { createFcm } from './push/fcm-push.ts';
import type { PushProvider } from './push/push-provider.ts';
import type { WebhookKeys } from './receipts/verify-webhook.ts';
import { createMsg91Sms } from './sms/msg91-sms.ts';
import type { SmsProvider } from './sms/sms-provider.ts';
import { createTwilioSms } from './sms/twilio-sms.ts';
import { createExotel } from './voice/exotel-voice.ts';
import { createTwilioVoice } from './voice/twilio-voice.ts';
import type { VoiceProvider } from './voice/voice-provider.ts';
import { createWhatsAppCloud } from './whatsapp/whatsapp-cloud.ts';
import type { WhatsAppProvider } from './whatsapp/whatsapp-provider.ts';

/** The companies of a process, a list a channel, the first to be tried first. A channel without any is an empty list. */
export interface Providers {
  readonly sms: readonly SmsProvider[];
  readonly whatsapp: readonly WhatsAppProvider[];
  readonly email: readonly EmailProvider[];
  readonly push: readonly PushProvider[];
  readonly voice: readonly VoiceProvider[];
  readonly incident: readonly IncidentProvider[];
  /** Whether any company carries messages to people; one that only opens incidents does not. */
  readonly hasCarriers: boolean;
  /** For receipts/verify-webhook and receipts/webhook-addresses. */
  readonly webhookKeys: WebhookKeys;
  /**
   * Loads the clients of the companies that are set up. Without it the first message does, and holds up the process for 0.2 s: a process
   * that sends alerts does it at its start.
   */
  warmUp(): Promise<void>;
  /** Waits for calls under way; their deadlines end them. */
  close(): Promise<void>;
}

/**
 * The providers that the environment sets up. Opens no connection and loads no client yet.
 *
 * @param values of `providersEnvironment`, as readEnvironment gives them
 * @throws ConfigError with one sentence for each company that is set up by half
 */
export function createProviders(values: ProviderVariables): Providers {
  const settings = toProviderSettings(values);
  const http = createVendorHttp();
  const use = <Settings, Made>(
    found: Settings | undefined,
    create: (input: { settings: Settings; http: typeof http }) => Made,
  ) => (found === undefined ? undefined : create({ settings: found, http }));

  const sms = { 'twilio-sms': use(settings.twilioSms, createTwilioSms), msg91: use(settings.msg91, createMsg91Sms) };
  const email = { sendgrid: use(settings.sendgrid, createSendgrid), mailgun: use(settings.mailgun, createMailgun) };
  const voice = {
    'twilio-voice': use(settings.twilioVoice, createTwilioVoice),
    exotel: use(settings.exotel, createExotel),
  };
  const carriers = {
    sms: values.SMS_PROVIDERS.flatMap((name) => sms[name] ?? []),
    whatsapp: [use(settings.whatsapp, createWhatsAppCloud) ?? []].flat(),
    email: values.EMAIL_PROVIDERS.flatMap((name) => email[name] ?? []),
    push: [use(settings.fcm, createFcm) ?? []].flat(),
    voice: values.VOICE_PROVIDERS.flatMap((name) => voice[name] ?? []),
  };
  return {
    ...carriers,
    hasCarriers: Object.values(carriers).some((list) => list.length > 0),
    incident: [use(settings.pagerduty, createPagerDuty) ?? []].flat(),
    webhookKeys: {
      path: present(values.WEBHOOK_PATH_KEY, values.WEBHOOK_PATH_KEY_PREVIOUS),
      twilio: present(values.TWILIO_AUTH_TOKEN, values.TWILIO_AUTH_TOKEN_PREVIOUS),
      sendgrid: present(values.SENDGRID_WEBHOOK_PUBLIC_KEY, values.SENDGRID_WEBHOOK_PUBLIC_KEY_PREVIOUS),
      mailgun: present(values.MAILGUN_WEBHOOK_SIGNING_KEY, values.MAILGUN_WEBHOOK_SIGNING_KEY_PREVIOUS),
      whatsapp: present(values.WHATSAPP_APP_SECRET, values.WHATSAPP_APP_SECRET_PREVIOUS),
      whatsappVerifyTokens: present(values.WHATSAPP_VERIFY_TOKEN),
    },
    async warmUp() {
      if (settings.twilioSms ?? settings.twilioVoice) await import('twilio');
      if (settings.sendgrid) await Promise.all([import('@sendgrid/mail'), import('@sendgrid/client')]);
    },
    close: () => http.close(),
  };
}

function present(...keys: (string | undefined)[]): string[] {
  return keys.filter((key) => key !== undefined);
}
