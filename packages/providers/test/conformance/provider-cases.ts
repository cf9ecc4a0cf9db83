import { generateKeyPairSync, randomInt } from 'node:crypto';
import { readEnvironment } from '@hushryd/platform/config/read-environment';
import Type from 'typebox';
import type { ProviderName, SendContext, SendOutcome } from '../../src/provider.ts';
import { createProviders, type Providers } from '../../src/providers.ts';
import { providersEnvironment } from '../../src/providers-environment.ts';
import type { FaultMode } from '../../src/sandbox/fault-plan.ts';

/** One provider as the conformance suite drives it. */
export interface ProviderCase {
  readonly name: ProviderName;
  send(providers: Providers, recipient: string, context: SendContext): Promise<SendOutcome>;
  /** Of a person that no other case reaches. */
  newRecipient(): string;
  readonly wrongRecipient: string;
  /** Variables that make its credentials wrong. */
  readonly wrongCredentials: (environment: Readonly<Record<string, string>>) => Record<string, string>;
  /** Receipts that come when all is well, in order; none where the vendor sends none. */
  readonly receipts: readonly string[];
  /** What an error in a 200 is taken for: only MSG91 documents such answers. */
  readonly errorIn200: { readonly errorClass: string; readonly isUnknown: boolean };
}

const text = 'Asha pressed SOS. Follow: https://hushryd.test/s/abc';
const phone = () => `+9198${randomInt(10_000_000, 99_999_999)}`;
const mail = () => `person-${randomInt(1e9)}@example.test`;
const unknown = { errorClass: 'retry', isUnknown: true };
const first = <P>(list: readonly P[], name: string): P => {
  const found = list.find((provider) => (provider as { name: string }).name === name);
  if (found === undefined) throw new Error(`${name} is not set up`);
  return found;
};
const otherHex = () => Array.from({ length: 32 }, () => randomInt(16).toString(16)).join('');

export const providerCases: readonly ProviderCase[] = [
  {
    name: 'twilio-sms',
    send: ({ sms }, to, context) => first(sms, 'twilio-sms').send({ to, text }, context),
    newRecipient: phone,
    wrongRecipient: '+15005550001',
    wrongCredentials: () => ({ TWILIO_AUTH_TOKEN: otherHex() }),
    receipts: ['accepted', 'sent', 'delivered'],
    errorIn200: unknown,
  },
  {
    name: 'msg91',
    send: ({ sms }, to, context) =>
      first(sms, 'msg91').send({ to, text, dlt: { templateId: 'sos', variables: { name: 'Asha' } } }, context),
    newRecipient: phone,
    wrongRecipient: '+15005550001',
    wrongCredentials: () => ({ MSG91_AUTH_KEY: otherHex() }),
    receipts: ['delivered'],
    errorIn200: { errorClass: 'next', isUnknown: false },
  },
  {
    name: 'whatsapp-cloud',
    send: ({ whatsapp }, to, context) =>
      first(whatsapp, 'whatsapp-cloud').send(
        { to, template: { name: 'sos', languageCode: 'en', bodyParameters: ['Asha'], buttonUrlSuffix: 'abc' } },
        context,
      ),
    newRecipient: phone,
    wrongRecipient: '+15005550001',
    wrongCredentials: () => ({ WHATSAPP_ACCESS_TOKEN: otherHex() }),
    receipts: ['sent', 'delivered'],
    errorIn200: unknown,
  },
  {
    name: 'sendgrid',
    send: ({ email }, to, context) =>
      first(email, 'sendgrid').send({ to, subject: 'SOS', text, html: `<p>${text}</p>` }, context),
    newRecipient: mail,
    wrongRecipient: 'nobody',
    wrongCredentials: () => ({ SENDGRID_API_KEY: `SG.${otherHex()}` }),
    receipts: ['accepted', 'delivered'],
    errorIn200: unknown,
  },
  {
    name: 'mailgun',
    send: ({ email }, to, context) =>
      first(email, 'mailgun').send({ to, subject: 'SOS', text, html: `<p>${text}</p>` }, context),
    newRecipient: mail,
    wrongRecipient: 'nobody',
    wrongCredentials: () => ({ MAILGUN_API_KEY: otherHex() }),
    receipts: ['accepted', 'delivered'],
    errorIn200: unknown,
  },
  {
    name: 'fcm',
    send: ({ push }, token, context) =>
      first(push, 'fcm').send({ token, title: 'SOS', body: text, data: { alertId: 'a1' }, isUrgent: true }, context),
    newRecipient: () => `token-${randomInt(1e9)}`,
    wrongRecipient: 'dead-token',
    wrongCredentials: ({ FCM_SERVICE_ACCOUNT = '{}' }) => ({
      FCM_SERVICE_ACCOUNT: JSON.stringify({ ...JSON.parse(FCM_SERVICE_ACCOUNT), private_key: otherPrivateKey() }),
    }),
    receipts: [],
    errorIn200: unknown,
  },
  {
    name: 'twilio-voice',
    send: ({ voice }, to, context) =>
      first(voice, 'twilio-voice').send(
        { to, sayText: text, language: 'en-IN', gather: { digitsUrl: `${context.receiptUrl}/digits`, maxDigits: 1 } },
        context,
      ),
    newRecipient: phone,
    wrongRecipient: '+15005550001',
    wrongCredentials: () => ({ TWILIO_AUTH_TOKEN: otherHex() }),
    receipts: ['accepted', 'ringing', 'answered', 'completed'],
    errorIn200: unknown,
  },
  {
    name: 'exotel',
    send: ({ voice }, to, context) =>
      first(voice, 'exotel').send(
        { to, sayText: text, language: 'en-IN', gather: { digitsUrl: '', maxDigits: 1 } },
        context,
      ),
    newRecipient: phone,
    wrongRecipient: '+15005550001',
    wrongCredentials: () => ({ EXOTEL_API_TOKEN: otherHex() }),
    receipts: ['answered', 'completed'],
    errorIn200: unknown,
  },
  {
    name: 'pagerduty',
    send: ({ incident }, dedupKey, context) =>
      first(incident, 'pagerduty').send(
        {
          action: 'trigger',
          dedupKey,
          summary: 'SOS unanswered for 60 s',
          source: 'hushryd',
          severity: 'critical',
          occurredAtMs: Date.now(),
          customDetails: { alertId: 'a1', level: 2 },
        },
        context,
      ),
    // Everything goes to those on duty.
    newRecipient: () => `incident-${randomInt(1e9)}`,
    wrongRecipient: '',
    wrongCredentials: () => ({ PAGERDUTY_ROUTING_KEY: otherHex() }),
    receipts: [],
    errorIn200: unknown,
  },
];

/** What a fault set for one person is set for: all events of PagerDuty go to one. */
export function faultRecipient(name: ProviderName, recipient: string): string {
  return name === 'pagerduty' ? 'on-duty' : recipient;
}

export function openProviders(environment: Readonly<Record<string, string>>): Providers {
  return createProviders(readEnvironment(Type.Object(providersEnvironment), environment));
}

/** Faults in which the vendor takes nothing or says nothing, and what a provider must make of them. */
export const failingModes: readonly { mode: FaultMode; reason: string; isUnknown: boolean }[] = [
  { mode: '500', reason: 'vendor-error', isUnknown: true },
  { mode: '429', reason: 'rate-limited', isUnknown: false },
  { mode: 'hang', reason: 'timeout', isUnknown: true },
  { mode: 'slow-drip', reason: 'timeout', isUnknown: true },
  { mode: 'reset', reason: 'network', isUnknown: true },
  { mode: 'answer-lost', reason: 'network', isUnknown: true },
];

function otherPrivateKey(): string {
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString();
}
