import { AppError } from '@hushryd/platform/errors/app-error';
import type { ApiServer } from '../api-server.ts';

/** Once closing began, what still comes over open connections is sent to another node; health stays readable, and alerts are taken. */
export function addDraining(app: ApiServer, isDraining: () => boolean): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!isDraining()) return done();
    reply.header('connection', 'close');
    // What an alert stands on is closed after the front door: who calls for help is not sent to another door.
    if (request.url.startsWith('/health') || request.url === '/v1/sos') return done();
    throw new AppError('draining', { retryAfterMs: 1000 });
  });
}
