import type { EmailMessage } from '@hushryd/providers/email/email-provider';
import type { PushMessage } from '@hushryd/providers/push/push-provider';
import type { SmsMessage } from '@hushryd/providers/sms/sms-provider';
import type { VoiceMessage } from '@hushryd/providers/voice/voice-provider';
import type { WhatsAppMessage } from '@hushryd/providers/whatsapp/whatsapp-provider';
import type { VendorTemplates } from './notification-settings.ts';
import { type TemplateName, templateOf } from './templates/all-templates.ts';
import { readVariables, render } from './templates/render.ts';
import { type Locale, spokenLanguage } from './templates/template.ts';

/** What one template says to one person, before it takes the form of a channel. */
export interface Words {
  readonly template: TemplateName;
  readonly locale: Locale;
  readonly variables: Readonly<Record<string, string>>;
  readonly to: string;
}

/** MSG91 sends registered templates alone: without its id the next provider has to. */
export function toSms({ template, locale, variables, to }: Words, vendors: VendorTemplates): SmsMessage {
  const { text } = render({ template: templateOf(template), locale, variables });
  const templateId = vendors.msg91(template, locale);
  return {
    to,
    text,
    ...(templateId !== undefined && { dlt: { templateId, variables: readVariables(templateOf(template), variables) } }),
  };
}

/** @returns undefined where Meta has approved no such template */
export function toWhatsApp(
  { template: name, locale, variables, to }: Words,
  vendors: VendorTemplates,
): WhatsAppMessage | undefined {
  const registered = vendors.whatsapp(name);
  if (registered === undefined) return undefined;
  const template = templateOf(name);
  const values = readVariables(template, variables);
  const button = template.whatsappButton === undefined ? undefined : values[template.whatsappButton];
  return {
    to,
    template: {
      name: registered,
      languageCode: locale,
      bodyParameters: template.whatsapp.map((variable) => values[variable] ?? ''),
      ...(button !== undefined && { buttonUrlSuffix: button.slice(button.lastIndexOf('/') + 1) }),
    },
  };
}

export function toEmail({ template, locale, variables, to }: Words): EmailMessage {
  const { subject, text, html } = render({ template: templateOf(template), locale, variables });
  return { to, subject, text, html };
}

/** @param recordId for the app to say that it was seen */
export function toPush({ template: name, locale, variables, to: token }: Words, recordId: string): PushMessage {
  const template = templateOf(name);
  const { subject: title, text: body } = render({ template, locale, variables });
  return {
    token,
    title,
    body,
    data: { notificationId: recordId, template: name },
    ttlSeconds: Math.floor(template.lifeMs / 1_000),
    isUrgent: template.isUrgent,
  };
}

/** @param digitsUrl where pressed keys go; without it the call only speaks */
export function toVoice({ template, locale, variables, to }: Words, digitsUrl?: string): VoiceMessage {
  const { spoken } = render({ template: templateOf(template), locale, variables });
  return {
    to,
    sayText: spoken,
    language: spokenLanguage[locale],
    ...(digitsUrl !== undefined && { gather: { digitsUrl, maxDigits: 1 } }),
  };
}
