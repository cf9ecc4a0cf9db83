import type { ApiServer } from '../api-server.ts';

/** Every reply says under which id it can be found in the logs. */
export function addCorrelationId(app: ApiServer): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
}
