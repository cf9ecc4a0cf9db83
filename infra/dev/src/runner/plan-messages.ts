import { join } from 'node:path';
import { messageLocales, messageTemplates } from '@hushryd/contracts/http/notifications';
import type { Ports } from './read-options.ts';
import type { ServicePlan } from './service-plan.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** One variable of each outside company, without which it is not set up. */
const companyVariables = [
  'TWILIO_ACCOUNT_SID',
  'MSG91_AUTH_KEY',
  'WHATSAPP_ACCESS_TOKEN',
  'SENDGRID_API_KEY',
  'MAILGUN_API_KEY',
  'FCM_SERVICE_ACCOUNT',
  'FCM_SERVICE_ACCOUNT_FILE',
  'EXOTEL_API_KEY',
  'PAGERDUTY_ROUTING_KEY',
];

/** Whoever names one of them means messages to leave: nothing is played beside it. */
export function hasOwnCompanies(variables: Variables): boolean {
  return companyVariables.some((name) => (variables[name] ?? '').trim() !== '');
}

const sandboxUrl = (ports: Ports): string => `http://127.0.0.1:${ports.sandbox}`;
const webhookUrl = (ports: Ports): string => `http://127.0.0.1:${ports.api}/v1/webhooks`;

/** The process that plays the outside companies. Its credentials are kept, so that services of the start before would still know it. */
export function planSandbox({
  rootDir,
  ports,
  keysDir,
}: {
  rootDir: string;
  ports: Ports;
  keysDir: string;
}): ServicePlan & { readyUrl: string } {
  return {
    name: 'sandbox',
    argv: [join(rootDir, 'packages/providers/dist/sandbox/main.js')],
    env: {
      HOST: '127.0.0.1',
      PORT: String(ports.sandbox),
      WEBHOOK_BASE_URL: webhookUrl(ports),
      SANDBOX_CREDENTIALS_FILE: join(keysDir, 'sandbox-credentials.json'),
    },
    readyUrl: `${sandboxUrl(ports)}/sandbox/stats`,
  };
}

/** What api and worker need to send messages: where receipts come, and how the played companies are reached, which have to run. */
export async function planMessages({
  ports,
  hasInbox,
  variables,
}: {
  ports: Ports;
  hasInbox: boolean;
  variables: Variables;
}): Promise<Record<string, string>> {
  const own = { WEBHOOK_BASE_URL: variables.WEBHOOK_BASE_URL || webhookUrl(ports) };
  if (!hasInbox) return own;
  const response = await fetch(`${sandboxUrl(ports)}/sandbox/environment`, { signal: AbortSignal.timeout(5_000) });
  const played = (await response.json()) as Record<string, string>;
  return {
    ...own,
    ...played,
    // Kept for stories: its messages end in the inbox. Where real companies are set up, nobody here decides whom the canary writes to.
    SOS_CANARY_TO: variables.SOS_CANARY_TO || '+12025550199',
    // The sandbox takes any, as long as there is one.
    MSG91_TEMPLATES: messageTemplates
      .flatMap((name) => messageLocales.map((locale) => `${name}.${locale}=${name}-${locale}`))
      .join(','),
    WHATSAPP_TEMPLATES: messageTemplates.map((name) => `${name}=${name}`).join(','),
  };
}
