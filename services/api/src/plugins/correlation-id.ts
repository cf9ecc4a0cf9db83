import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ApiServer } from '../api-server.ts';

const wellFormed = /^[A-Za-z0-9._-]{8,64}$/;

/** The request's `X-Request-ID` where it is 8–64 of `A–Z a–z 0–9 . _ -`, else a new one: it stands in logs and replies. */
export function readCorrelationId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && wellFormed.test(given) ? given : randomUUID();
}

/** Every reply says under which id it can be found in the logs. */
export function addCorrelationId(app: ApiServer): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
}
