import { AppError } from '@hushryd/platform/errors/app-error';
import type { HTTPMethods, RouteOptions } from 'fastify';
import type { ApiServer } from '../api-server.ts';

const methods: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * Answers 405 with `Allow` where a path exists and the method does not; Fastify would say 404.
 *
 * @returns to be called when all routes are there
 */
export function collectMethods(app: ApiServer): () => void {
  const known = new Map<string, Set<HTTPMethods>>();
  app.addHook('onRoute', ({ url, method, config }: RouteOptions) => {
    // Routes that say nothing of roles are not ours: the reference page's.
    if (config?.roles === undefined || url.includes('*')) return;
    const ofUrl = known.get(url) ?? new Set();
    for (const one of Array.isArray(method) ? method : [method]) ofUrl.add(one as HTTPMethods);
    known.set(url, ofUrl);
  });

  return () => {
    for (const [url, ofUrl] of [...known]) {
      const allow = [...ofUrl].toSorted().join(', ');
      const missing = methods.filter((method) => !ofUrl.has(method));
      app.route({
        method: missing,
        url,
        schema: { hide: true },
        config: { roles: 'anyone', produces: ['*/*'] },
        handler(_request, reply) {
          reply.header('allow', allow);
          throw new AppError('method_not_allowed', { detail: `allowed: ${allow}` });
        },
      });
    }
  };
}
