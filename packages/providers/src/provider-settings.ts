import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '@hushryd/platform/config/config-error';
import type { Static, TObject } from 'typebox';
import type { MailgunSettings } from './email/mailgun-email.ts';
import type { SendgridSettings } from './email/sendgrid-email.ts';
import { readJson, textAt } from './http/read-json.ts';
import type { PagerDutySettings } from './incident/pagerduty-incident.ts';
import type { providersEnvironment } from './providers-environment.ts';
import type { FcmSettings } from './push/fcm-push.ts';
import { readPublicKey } from './receipts/sendgrid-receipts.ts';
import type { Msg91Settings } from './sms/msg91-sms.ts';
import type { TwilioSmsSettings } from './sms/twilio-sms.ts';
import type { ExotelSettings } from './voice/exotel-voice.ts';
import type { TwilioVoiceSettings } from './voice/twilio-voice.ts';
import type { WhatsAppCloudSettings } from './whatsapp/whatsapp-cloud.ts';

export type ProviderVariables = Static<TObject<typeof providersEnvironment>>;
type Name = keyof ProviderVariables;

/** What each company is to be used with; undefined where it is not. */
export interface ProviderSettings {
  readonly twilioSms: TwilioSmsSettings | undefined;
  readonly twilioVoice: TwilioVoiceSettings | undefined;
  readonly msg91: Msg91Settings | undefined;
  readonly whatsapp: WhatsAppCloudSettings | undefined;
  readonly sendgrid: SendgridSettings | undefined;
  readonly mailgun: MailgunSettings | undefined;
  readonly fcm: FcmSettings | undefined;
  readonly exotel: ExotelSettings | undefined;
  readonly pagerduty: PagerDutySettings | undefined;
}

/** @throws ConfigError with one sentence for each company that is set up by half, or whose key cannot be read */
export function toProviderSettings(values: ProviderVariables): ProviderSettings {
  const problems: string[] = [];
  const group = <const Names extends readonly Name[]>(company: string, names: Names) =>
    readGroup({ values, company, names, problems });

  const twilio = group('Twilio', ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN']);
  const isTwilioIdle = values.TWILIO_FROM === undefined && values.TWILIO_VOICE_FROM === undefined;
  if (twilio && isTwilioIdle) {
    problems.push('Twilio is set up for nothing: set TWILIO_FROM to send texts, TWILIO_VOICE_FROM to call, or both.');
  }
  if (!twilio && !isTwilioIdle && problems.length === 0) {
    problems.push(
      'TWILIO_ACCOUNT_SID is missing: set it with TWILIO_AUTH_TOKEN, or remove TWILIO_FROM and TWILIO_VOICE_FROM to do without Twilio.',
    );
  }
  const account = twilio && { accountSid: twilio[0], authToken: twilio[1], baseUrl: trim(values.TWILIO_BASE_URL) };
  const msg91 = group('MSG91', ['MSG91_AUTH_KEY', 'MSG91_SENDER_ID']);
  const whatsapp = group('WhatsApp', [
    'WHATSAPP_PHONE_NUMBER_ID',
    'WHATSAPP_ACCESS_TOKEN',
    'WHATSAPP_APP_SECRET',
    'WHATSAPP_VERIFY_TOKEN',
  ]);
  const sendgrid = group('SendGrid', ['SENDGRID_API_KEY', 'SENDGRID_FROM', 'SENDGRID_WEBHOOK_PUBLIC_KEY']);
  const mailgun = group('Mailgun', [
    'MAILGUN_API_KEY',
    'MAILGUN_DOMAIN',
    'MAILGUN_FROM',
    'MAILGUN_WEBHOOK_SIGNING_KEY',
  ]);
  const exotel = group('Exotel', [
    'EXOTEL_ACCOUNT_SID',
    'EXOTEL_API_KEY',
    'EXOTEL_API_TOKEN',
    'EXOTEL_CALLER_ID',
    'EXOTEL_FLOW_ID',
  ]);
  const pathKey = values.WEBHOOK_PATH_KEY ?? '';
  if (pathKey === '' && (account ?? msg91 ?? exotel) !== undefined) {
    problems.push(
      'WEBHOOK_PATH_KEY is missing: set it to at least 32 random characters, the same in every process; Twilio, MSG91 and Exotel need it.',
    );
  }
  for (const name of ['SENDGRID_WEBHOOK_PUBLIC_KEY', 'SENDGRID_WEBHOOK_PUBLIC_KEY_PREVIOUS'] as const) {
    checkPublicKey(name, values[name], problems);
  }
  const fcm = readFcm(values, problems);
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));

  return {
    twilioSms: account && values.TWILIO_FROM ? { ...account, from: values.TWILIO_FROM } : undefined,
    twilioVoice: account && values.TWILIO_VOICE_FROM ? { ...account, from: values.TWILIO_VOICE_FROM } : undefined,
    msg91: msg91 && { authKey: msg91[0], senderId: msg91[1], baseUrl: trim(values.MSG91_BASE_URL), pathKey },
    whatsapp: whatsapp && {
      phoneNumberId: whatsapp[0],
      accessToken: whatsapp[1],
      baseUrl: trim(values.WHATSAPP_BASE_URL),
    },
    sendgrid: sendgrid && {
      apiKey: sendgrid[0],
      from: readSender(sendgrid[1]),
      baseUrl: trim(values.SENDGRID_BASE_URL),
    },
    mailgun: mailgun && {
      apiKey: mailgun[0],
      domain: mailgun[1],
      from: mailgun[2],
      baseUrl: trim(values.MAILGUN_BASE_URL),
    },
    fcm,
    exotel: exotel && {
      accountSid: exotel[0],
      apiKey: exotel[1],
      apiToken: exotel[2],
      callerId: exotel[3],
      flowId: exotel[4],
      baseUrl: trim(values.EXOTEL_BASE_URL),
      pathKey,
    },
    pagerduty: values.PAGERDUTY_ROUTING_KEY
      ? { routingKey: values.PAGERDUTY_ROUTING_KEY, baseUrl: trim(values.PAGERDUTY_BASE_URL) }
      : undefined,
  };
}

type Texts<Names extends readonly Name[]> = { [Index in keyof Names]: string };

/** All of a company's variables, or none. */
function readGroup<const Names extends readonly Name[]>({
  values,
  company,
  names,
  problems,
}: {
  values: ProviderVariables;
  company: string;
  names: Names;
  problems: string[];
}): Texts<Names> | undefined {
  const missing = names.filter((name) => values[name] === undefined);
  if (missing.length === 0) return names.map((name) => String(values[name])) as Texts<Names>;
  const present = names.filter((name) => values[name] !== undefined);
  if (present.length > 0) {
    for (const name of missing) {
      problems.push(`${name} is missing: set it, or remove ${present.join(', ')} to do without ${company}.`);
    }
  }
  return undefined;
}

function readFcm(values: ProviderVariables, problems: string[]): FcmSettings | undefined {
  const json = values.FCM_SERVICE_ACCOUNT ?? readFile(values.FCM_SERVICE_ACCOUNT_FILE, problems);
  if (json === undefined) return undefined;
  const name = values.FCM_SERVICE_ACCOUNT === undefined ? 'FCM_SERVICE_ACCOUNT_FILE' : 'FCM_SERVICE_ACCOUNT';
  const account = readJson(json);
  const fields = ['project_id', 'client_email', 'private_key', 'token_uri'] as const;
  const missing = fields.filter((field) => textAt(account, field) === undefined);
  if (missing.length > 0) {
    problems.push(`${name} holds no ${missing.join(', ')}: take the JSON of the service account as Google gives it.`);
    return undefined;
  }
  try {
    createPrivateKey(String(textAt(account, 'private_key')));
  } catch {
    problems.push(
      `${name} holds a private_key that cannot be read: take the JSON of the service account as Google gives it.`,
    );
    return undefined;
  }
  return { account: account as unknown as FcmSettings['account'], baseUrl: trim(values.FCM_BASE_URL) };
}

function readFile(path: string | undefined, problems: string[]): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    problems.push(
      `FCM_SERVICE_ACCOUNT_FILE names ${path}, which cannot be read: correct it, or remove it to do without FCM.`,
    );
    return undefined;
  }
}

function checkPublicKey(name: Name, text: string | undefined, problems: string[]): void {
  if (text === undefined) return;
  try {
    readPublicKey(text);
  } catch {
    problems.push(`${name} is no public key: take it as SendGrid shows it, base64 without line breaks.`);
  }
}

/** `HushRyd <alerts@example.org>`, or the address alone. */
function readSender(text: string): SendgridSettings['from'] {
  const [, name = '', email] = /^\s*(.*?)\s*<([^<>]+)>\s*$/.exec(text) ?? [];
  if (email === undefined) return { email: text.trim() };
  return name === '' ? { email } : { email, name };
}

function trim(url: string): string {
  return url.replace(/\/+$/, '');
}
