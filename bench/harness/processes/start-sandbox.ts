import { messageLocales, messageTemplates } from '@hushryd/contracts/http/notifications';
import { freePort } from '@hushryd/platform/engines/ports';
import type { Scope } from '../scope.ts';
import { type RunningService, startService } from './start-service.ts';

/** All outside companies, played by a process of its own. */
export interface SandboxProcess extends RunningService {
  readonly url: string;
  /** With which services send over it. */
  readonly environment: Readonly<Record<string, string>>;
}

const answerWithinMs = 5_000;
/** It keeps what it was sent, so that it can be asked for; more than any scenario sends. */
const maxMessages = '200000';

/** Without receipts: a text of an alert takes the second company after 20 s, as it would wherever none come. */
export async function startSandbox(
  scope: Scope,
  { profileDir }: { profileDir: string | undefined },
): Promise<SandboxProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const service = await startService(scope, {
    name: 'sandbox',
    env: { PORT: String(port), SANDBOX_MAX_MESSAGES: maxMessages },
    profileDir,
  });
  for (const provider of ['twilio-sms', 'twilio-voice', 'exotel']) {
    const answer = await fetch(`${url}/sandbox/faults`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ provider, mode: 'accepted-then-silent' }),
      signal: AbortSignal.timeout(answerWithinMs),
    });
    if (!answer.ok) throw new Error(`the sandbox answered ${answer.status} to what it shall keep silent about`);
  }
  const response = await fetch(`${url}/sandbox/environment`, { signal: AbortSignal.timeout(answerWithinMs) });
  const companies = (await response.json()) as Record<string, string>;
  const environment = {
    ...companies,
    // The services do not start without; nobody opens these, and no receipts come.
    WEBHOOK_BASE_URL: 'http://127.0.0.1:9/v1/webhooks',
    SHARE_PAGE_URL: 'https://api.example/share.html',
    SOS_DESK_URL: 'https://console.example/#/sos?alert={alertId}',
    // The sandbox takes any, as long as there is one.
    MSG91_TEMPLATES: messageTemplates
      .flatMap((name) => messageLocales.map((locale) => `${name}.${locale}=${name}-${locale}`))
      .join(','),
    WHATSAPP_TEMPLATES: messageTemplates.map((name) => `${name}=${name}`).join(','),
  };
  return { ...service, url, environment };
}
