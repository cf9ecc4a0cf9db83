import { AppError } from '@hushryd/platform/errors/app-error';
import type { ApiServer } from '../api-server.ts';

/** Once closing began, what still comes over open connections is sent to another node; health stays readable. */
export function addDraining(app: ApiServer, isDraining: () => boolean): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!isDraining()) return done();
    reply.header('connection', 'close');
    if (request.url.startsWith('/health')) return done();
    throw new AppError('draining', { retryAfterMs: 1000 });
  });
}
