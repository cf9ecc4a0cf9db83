import type { ApiServer } from '../api-server.ts';

const preflightHeaders = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, idempotency-key, if-none-match, last-event-id, x-request-id',
  'access-control-max-age': '600',
};
const exposedHeaders = 'etag, location, retry-after, x-request-id';

/**
 * Pages of exactly these origins may call us from a browser (Fetch standard, CORS protocol). No credentials are involved: callers send
 * a bearer token, never a cookie.
 */
export function addCors(app: ApiServer, { origins }: { origins: readonly string[] }): void {
  const allowed = new Set(origins);

  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin === undefined) return done();
    reply.header('vary', 'Origin');
    if (!allowed.has(origin)) return done();
    reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', exposedHeaders);
    const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    if (!isPreflight) return done();
    reply.headers(preflightHeaders).code(204).send();
  });

  // Preflights need a route to reach the hook; without CORS there is nothing to ask for.
  app.options('/*', { schema: { hide: true }, config: { roles: 'anyone', produces: ['*/*'] } }, (_request, reply) =>
    reply.code(204).send(),
  );
}
