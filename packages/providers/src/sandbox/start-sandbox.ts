import type { Logger } from '@hushryd/platform/logging/logger';
import type { ProviderName } from '../provider.ts';
import { accountAttempt, webhookAddress } from '../receipts/webhook-addresses.ts';
import { createCallObserver } from './call-observer.ts';
import { createCredentials, type SandboxCredentials } from './credentials.ts';
import { toEnvironment } from './environment.ts';
import { createFaultPlan } from './fault-plan.ts';
import { createMessageStore } from './message-store.ts';
import { createPhones } from './phones.ts';
import type { CallCounts } from './play-call.ts';
import { createReceiptSender } from './receipt-sender.ts';
import type { Sandbox } from './sandbox.ts';
import { startSandboxServer } from './sandbox-server.ts';
import { createGoogleTokens } from './vendors/google-tokens.ts';
import { listPlays } from './vendors/list-plays.ts';
import type { VendorPlay } from './vendors/vendor-play.ts';

export interface SandboxOptions {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly credentials?: SandboxCredentials;
  /** Asked before each call is answered: see call-observer. */
  readonly observerUrl?: string | undefined;
  /** Where receipts go whose address stands in the vendor's settings: `http://127.0.0.1:5000/v1/webhooks`. */
  readonly webhookBaseUrl?: string | undefined;
  /** Kept messages; the oldest go, counted. Default 2000. */
  readonly maxMessages?: number;
  /** From an answer to its first receipt, and between two. Default 50. */
  readonly receiptDelayMs?: number;
  readonly log?: Logger;
}

/**
 * Plays all outside companies on one local HTTP server: their APIs below a path each, the inbox page at `/`, the control API below
 * `/sandbox`. For development and tests only: whoever reaches it reads every message.
 *
 * @throws the listen error (EADDRINUSE)
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { host = '127.0.0.1', port = 0, credentials = createCredentials(), maxMessages = 2_000 } = options;
  let webhookBaseUrl = options.webhookBaseUrl;
  const messages = createMessageStore({ maxMessages });
  const faults = createFaultPlan();
  const observer = createCallObserver({ url: options.observerUrl });
  const googleTokens = createGoogleTokens(credentials.fcm);
  const plays = listPlays(credentials, googleTokens);
  let counts = new Map<ProviderName, CallCounts>();

  const addressOf = (provider: ProviderName, purpose?: 'digits' | 'prompt'): string | undefined => {
    if (webhookBaseUrl === undefined) return undefined;
    // Those that sign need no MAC in their address.
    if (provider !== 'msg91' && provider !== 'exotel') return `${webhookBaseUrl}/${provider}`;
    const key = credentials.pathKey;
    const address = { baseUrl: webhookBaseUrl, provider, attemptId: accountAttempt, key };
    return webhookAddress(purpose === undefined ? address : { ...address, purpose });
  };
  const sender = createReceiptSender({
    store: messages,
    delayMs: options.receiptDelayMs ?? 50,
    accountUrlOf: (play) => addressOf(play.provider),
  });
  const phones = createPhones({
    store: messages,
    sender,
    maxKept: maxMessages,
    flowUrls: () => ({ prompt: addressOf('exotel', 'prompt'), digits: addressOf('exotel', 'digits') }),
  });
  const countsOf = ({ provider }: VendorPlay): CallCounts => {
    const found = counts.get(provider) ?? { calls: 0, accepted: 0, refused: 0, faults: {} };
    counts.set(provider, found);
    return found;
  };

  const server = await startSandboxServer({
    host,
    port,
    plays,
    googleTokens,
    messages,
    log: options.log,
    dependencies: { store: messages, faults, observer, sender, phones, countsOf },
    sandbox: () => sandbox,
  });
  const url = `http://${host}:${server.port}`;

  const sandbox: Sandbox = {
    url,
    port: server.port,
    credentials,
    environment: toEnvironment(url, credentials),
    messages,
    faults,
    phones,
    sendWebhooksTo(baseUrl) {
      webhookBaseUrl = baseUrl;
    },
    revokeGoogleTokens: googleTokens.revokeAll,
    reset() {
      sender.clear();
      phones.clear();
      faults.clear();
      observer.clear();
      counts = new Map();
      messages.clear();
    },
    stats: () => ({
      providers: Object.fromEntries(counts),
      receipts: { ...sender.counts },
      messages: { kept: messages.list().length, dropped: messages.droppedCount, lastSeq: messages.lastSeq },
      observer: { asked: observer.askedCount, refused: observer.refusedCount, refusals: observer.refusals },
    }),
    async close() {
      phones.clear();
      await sender.close();
      await server.close();
    },
  };
  return sandbox;
}
