import { createHash, timingSafeEqual } from 'node:crypto';
import { RevocationsReplySchema } from '@hushryd/contracts/http/sessions';
import { TripAccessQuerySchema, TripAccessReplySchema } from '@hushryd/contracts/http/trip-access';
import { AppError, toAppError } from '@hushryd/platform/errors/app-error';
import { readCorrelationId } from '@hushryd/platform/errors/correlation-id';
import type { Logger } from '@hushryd/platform/logging/logger';
import { type RevocationStore, revokedHaveRunOutMs } from '@hushryd/rides/people/revocation-store';
import type { TripStore } from '@hushryd/rides/trips/trip-store';
import type { AccessPublisher } from '@hushryd/tracking/trip-access/publish-access';
import Fastify, { type onRequestAsyncHookHandler } from 'fastify';
import type { ApiServer } from '../api-server.ts';
import { addErrorReplies, createErrorReplies } from '../plugins/error-replies.ts';
import { compileValidator } from '../plugins/validate.ts';
import { addInternalSosRoutes } from './sos-routes.ts';

/**
 * What realtime nodes ask: what Redis does not have, or cannot say while it is away. A listener of its own, for which the service token is the key; it takes
 * no user's token, and no user's network reaches it.
 */
export function createInternalApp({
  serviceToken,
  trips,
  publisher,
  revocationStore,
  sos,
  log,
}: {
  serviceToken: string;
  trips: Pick<TripStore, 'tripAccessByIds'>;
  publisher: Pick<AccessPublisher, 'republish'>;
  revocationStore: Pick<RevocationStore, 'inForce'>;
  sos: Parameters<typeof addInternalSosRoutes>[1];
  log: Logger;
}): ApiServer {
  const app: ApiServer = Fastify({
    logger: false,
    genReqId: ({ headers }) => readCorrelationId(headers['x-request-id']),
    bodyLimit: 65_536,
    handlerTimeout: 1_000,
  });
  app.setValidatorCompiler(compileValidator);
  addErrorReplies(app, createErrorReplies(log));
  app.addHook('onRequest', createServiceCheck(serviceToken));

  app.post(
    '/internal/trip-access',
    { schema: { body: TripAccessQuerySchema, response: { 200: TripAccessReplySchema } } },
    async ({ body }) => {
      const tripIds = [...new Set(body.tripIds)];
      const records = await trips.tripAccessByIds(tripIds);
      // Whoever asked waits 300 ms: the answer does not wait for Redis, which may be why it was asked for.
      publisher.republish(records.map((access) => ({ access }))).catch((error: unknown) => {
        log.warn({ code: toAppError(error).code, count: records.length }, 'trip access not put back, the worker will');
      });
      const known = new Set(records.map(({ tripId }) => tripId));
      return { records, unknown: tripIds.filter((tripId) => !known.has(tripId)) };
    },
  );

  app.get('/internal/revocations', { schema: { response: { 200: RevocationsReplySchema } } }, async () => {
    const nowMs = Date.now();
    // No socket is opened with a token that has run out, so the older ones, ninety times as many, need not travel every two seconds.
    const changedSinceMs = nowMs - revokedHaveRunOutMs;
    return { revocations: await revocationStore.inForce({ nowMs, changedSinceMs }) };
  });
  addInternalSosRoutes(app, sos);
  return app;
}

function createServiceCheck(serviceToken: string): onRequestAsyncHookHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${serviceToken}`);
  return async ({ headers }) => {
    // Digests have one length, so the comparison takes one time.
    if (!timingSafeEqual(digest(headers.authorization ?? ''), expected)) throw new AppError('token_invalid');
  };
}
