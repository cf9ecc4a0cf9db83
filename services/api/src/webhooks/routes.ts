import { createFirstPrompt, type ReadVoicePrompt } from '@hushryd/outreach/notifications/read-voice-prompt';
import type { WebhookDesk } from '@hushryd/outreach/webhooks/take-webhook';
import { AppError } from '@hushryd/platform/errors/app-error';
import { readExotelPrompt, toExotelPrompt } from '@hushryd/providers/receipts/exotel-receipts';
import type { WebhookRequest } from '@hushryd/providers/receipts/receipt';
import { type TellingProvider, tellingProviders, type WebhookKeys } from '@hushryd/providers/receipts/verify-webhook';
import { answerMetaChallenge } from '@hushryd/providers/receipts/whatsapp-receipts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiServer } from '../api-server.ts';

const path = '/v1/webhooks';
const maxBodyBytes = 1_048_576;

/**
 * Where vendors tell what became of messages and calls. Who they are is proved over the bytes of the body, or by the address itself, so
 * nothing is parsed before; they hear 2xx once it is stored.
 *
 * Left out of the API description: each vendor has its own.
 */
export async function addWebhookRoutes(
  app: ApiServer,
  parts: {
    webhooks: WebhookDesk;
    webhookKeys: WebhookKeys;
    webhookBaseUrl: string | undefined;
    voicePrompts: readonly ReadVoicePrompt[];
  },
): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    for (const suffix of ['/:provider', '/:provider/:attempt/:mac', '/:provider/:attempt/:mac/:purpose']) {
      scope.route({
        method: ['GET', 'POST'],
        url: `${path}${suffix}`,
        bodyLimit: maxBodyBytes,
        exposeHeadRoute: false,
        config: { roles: 'anyone', produces: ['*/*'] },
        schema: { hide: true },
        handler: (request, reply) => answer(parts, request, reply),
      });
    }
  });
}

type Parts = Parameters<typeof addWebhookRoutes>[1];

async function answer(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { provider, purpose } = request.params as { provider: string; purpose?: string };
  if (!isTelling(provider) || (purpose !== undefined && purpose !== 'digits' && purpose !== 'prompt')) {
    throw new AppError('not_found');
  }
  const webhook = toWebhookRequest(request, parts.webhookBaseUrl);
  if (provider === 'whatsapp-cloud' && request.method === 'GET') return answerChallenge(parts, webhook, reply);
  if (purpose === 'prompt') return answerPrompt(parts, provider, webhook, reply);

  const taken = await parts.webhooks.take({ provider, request: webhook });
  if (taken.kind === 'refused') throw new AppError('webhook_refused', { detail: taken.reason });
  if (taken.reply === undefined) return reply.code(204).send();
  return reply.code(taken.reply.status).type(taken.reply.contentType).send(taken.reply.body);
}

/** Once, when the address is typed into Meta's panel. */
function answerChallenge({ webhookKeys }: Parts, { url }: WebhookRequest, reply: FastifyReply): FastifyReply {
  const challenge = answerMetaChallenge(url, webhookKeys.whatsappVerifyTokens);
  if (challenge === undefined) throw new AppError('webhook_refused');
  return reply.type('text/plain').send(challenge);
}

/** Exotel asks what to say while the call lasts. */
async function answerPrompt(
  { webhookKeys, voicePrompts }: Parts,
  provider: TellingProvider,
  webhook: WebhookRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const asked = provider === 'exotel' ? readExotelPrompt(webhook, webhookKeys.path) : undefined;
  if (asked === undefined) throw new AppError('webhook_refused');
  const prompt = await createFirstPrompt(voicePrompts)(asked.attemptId);
  if (prompt === undefined) throw new AppError('not_found');
  const { contentType, body } = toExotelPrompt(prompt);
  return reply.type(contentType).send(body);
}

/** As the vendor sent it: behind a proxy, by the address that it was given. */
function toWebhookRequest(request: FastifyRequest, baseUrl: string | undefined): WebhookRequest {
  const own = `${request.protocol}://${request.host}${path}`;
  return {
    method: request.method,
    url: `${baseUrl ?? own}${request.originalUrl.slice(path.length)}`,
    headers: request.headers,
    rawBody: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
}

const isTelling = (name: string): name is TellingProvider => (tellingProviders as readonly string[]).includes(name);
