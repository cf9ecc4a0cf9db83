import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { type WaitOptions, waitFor } from '@hushryd/platform/testing/wait-for';
import { type KeyAnswer, toKeyReply } from '../src/receipts/answer-keys.ts';
import { readExotelPrompt, toExotelPrompt } from '../src/receipts/exotel-receipts.ts';
import type { PressedKeys, Receipt, WebhookRequest, WebhookVerdict } from '../src/receipts/receipt.ts';
import { type TellingProvider, verifyWebhook, type WebhookKeys } from '../src/receipts/verify-webhook.ts';

export interface HeardWebhook {
  readonly provider: string;
  readonly request: WebhookRequest;
  readonly verdict: WebhookVerdict;
}

export interface Listener {
  /** Where the vendors' requests go: `http://127.0.0.1:PORT/webhooks`. */
  readonly baseUrl: string;
  readonly heard: readonly HeardWebhook[];
  readonly receipts: readonly Receipt[];
  /** Waits until one has come that fits. */
  waitFor(fits: (receipt: Receipt) => boolean, options: WaitOptions): Promise<Receipt>;
}

/**
 * What the api will be for webhooks: verifies what comes and keeps it, the newest 5000.
 *
 * @param keys asked at each request, since the sandbox that makes them may start later
 * @param sayText what a flow of Exotel is told to say
 */
export async function startListener(
  t: TestScope,
  { keys, sayText = 'Press 1' }: { keys: () => WebhookKeys; sayText?: string },
): Promise<Listener> {
  const heard: HeardWebhook[] = [];
  const receipts: Receipt[] = [];
  let origin = '';
  const server = createServer(async (request, response) => {
    const webhook = await toWebhookRequest(request, origin);
    const provider = /^\/webhooks\/([^/?]+)/.exec(request.url ?? '')?.[1] as TellingProvider;
    if (provider === 'exotel' && /\/prompt\b/.test(webhook.url)) {
      const isOurs = readExotelPrompt(webhook, keys().path) !== undefined;
      const prompt = toExotelPrompt({ sayText, maxDigits: 1 });
      response.writeHead(isOurs ? 200 : 403, { 'content-type': prompt.contentType }).end(isOurs ? prompt.body : '');
      return;
    }
    const verdict = verifyWebhook({ provider, request: webhook, keys: keys(), nowMs: Date.now() });
    heard.push({ provider, request: webhook, verdict });
    if (verdict.kind === 'refused') {
      response.writeHead(403).end();
      return;
    }
    receipts.push(...verdict.receipts);
    const answer = verdict.pressed && answerOf(verdict.pressed);
    const reply = answer && (await toKeyReply({ provider, request: webhook, answer }));
    if (reply === undefined) response.writeHead(204).end();
    else response.writeHead(reply.status, { 'content-type': reply.contentType }).end(reply.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    baseUrl: `${origin}/webhooks`,
    heard,
    receipts,
    waitFor: (fits, options) => waitFor(() => receipts.find(fits), options),
  };
}

/** 1 is the key, and another one is asked for three times. */
function answerOf({ digits, timesAsked }: PressedKeys): KeyAnswer {
  if (digits === '1') return { sayText: 'Thank you.' };
  return timesAsked < 3
    ? { sayText: 'Press 1 & no other', again: { silenceText: 'Goodbye.' } }
    : { sayText: 'Goodbye.' };
}

async function toWebhookRequest(request: IncomingMessage, origin: string): Promise<WebhookRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return {
    method: request.method ?? 'GET',
    url: `${origin}${request.url}`,
    headers: request.headers,
    rawBody: Buffer.concat(chunks),
  };
}
