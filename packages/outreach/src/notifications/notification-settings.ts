import { messageLocales, messageTemplates } from '@hushryd/contracts/http/notifications';
import { ConfigError } from '@hushryd/platform/config/config-error';
import Type, { type Static, type TObject } from 'typebox';
import type { TemplateName } from './templates/all-templates.ts';
import type { Locale } from './templates/template.ts';

/** Variables of every process that sends or records notifications: spread into a service's schema. */
export const notificationsEnvironment = {
  /** false does without BullMQ: the sweepers send. */
  ENABLE_MESSAGE_QUEUE: Type.Boolean({ default: true }),
  /** Messages a worker sends at once, of each class. */
  NOTIFICATION_PROCESSORS: Type.Integer({ minimum: 1, maximum: 1_000, default: 8 }),
  /** How often is looked for what is due and does not move. */
  NOTIFICATION_SWEEP_MS: Type.Integer({ minimum: 10, maximum: 60_000, default: 1_000 }),
  /** One-time codes by SMS and WhatsApp take the next provider without a receipt for so long. */
  NOTIFICATION_RECEIPT_WAIT_MS: Type.Integer({ minimum: 10, maximum: 600_000, default: 20_000 }),
  /** Before every provider is tried a second time, doubled with each further round. */
  NOTIFICATION_ROUND_PAUSE_MS: Type.Integer({ minimum: 0, maximum: 3_600_000, default: 30_000 }),
  /** Records are removed after this. */
  NOTIFICATION_KEEP_DAYS: Type.Integer({ minimum: 1, maximum: 3_650, default: 30 }),
  /** Where vendors reach the api, with the path: receipts come there. */
  WEBHOOK_BASE_URL: Type.Optional(
    Type.String({ pattern: '^https?://[^/]+', expects: 'an address such as https://api.example/v1/webhooks' }),
  ),
  /** Ids that MSG91 gave to the registered templates, `otp.en=…` each. */
  MSG91_TEMPLATES: Type.Array(
    Type.String({ pattern: '^[a-z_]+\\.[a-z]{2}=[^=,\\s]+$', expects: 'pairs such as otp.en=0123456789ab' }),
    { default: [] },
  ),
  /** Names of the approved templates at Meta, `otp=…` each; the language goes beside. */
  WHATSAPP_TEMPLATES: Type.Array(
    Type.String({ pattern: '^[a-z_]+=[a-z0-9_]+$', expects: 'pairs such as otp=one_time_code' }),
    { default: [] },
  ),
};

/** By which the vendors know our templates. */
export interface VendorTemplates {
  msg91(template: TemplateName, locale: Locale): string | undefined;
  whatsapp(template: TemplateName): string | undefined;
}

export interface NotificationSettings {
  readonly usesQueue: boolean;
  readonly processors: number;
  readonly sweepMs: number;
  readonly receiptWaitMs: number;
  readonly roundPauseMs: number;
  readonly keepMs: number;
  /** Without a slash at its end. */
  readonly webhookBaseUrl: string | undefined;
  readonly vendorTemplates: VendorTemplates;
}

/** @throws ConfigError where a template is named that there is not */
export function toNotificationSettings(env: Static<TObject<typeof notificationsEnvironment>>): NotificationSettings {
  const msg91 = readPairs('MSG91_TEMPLATES', env.MSG91_TEMPLATES, (name) => {
    const [template = '', locale = ''] = name.split('.');
    return isTemplate(template) && (messageLocales as readonly string[]).includes(locale);
  });
  const whatsapp = readPairs('WHATSAPP_TEMPLATES', env.WHATSAPP_TEMPLATES, isTemplate);
  return {
    usesQueue: env.ENABLE_MESSAGE_QUEUE,
    processors: env.NOTIFICATION_PROCESSORS,
    sweepMs: env.NOTIFICATION_SWEEP_MS,
    receiptWaitMs: env.NOTIFICATION_RECEIPT_WAIT_MS,
    roundPauseMs: env.NOTIFICATION_ROUND_PAUSE_MS,
    keepMs: env.NOTIFICATION_KEEP_DAYS * 86_400_000,
    webhookBaseUrl: env.WEBHOOK_BASE_URL?.replace(/\/+$/, ''),
    vendorTemplates: {
      msg91: (template, locale) => msg91.get(`${template}.${locale}`),
      whatsapp: (template) => whatsapp.get(template),
    },
  };
}

const isTemplate = (name: string): boolean => (messageTemplates as readonly string[]).includes(name);

function readPairs(
  variable: string,
  pairs: readonly string[],
  isKnown: (name: string) => boolean,
): Map<string, string> {
  const read = pairs.map((pair) => pair.split('=') as [string, string]);
  const unknown = read.find(([name]) => !isKnown(name));
  if (unknown !== undefined) {
    throw new ConfigError(
      `${variable} names ${unknown[0]}, which is no template: the templates are ${messageTemplates.join(', ')}.`,
    );
  }
  return new Map(read);
}
