import { EXPIRED_TOKEN_GRACE_MS, type Identity, type Role } from '@hushryd/platform/auth/claims';
import type { TokenVerifier } from '@hushryd/platform/auth/verify-token';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Revocations } from '@hushryd/tracking/revocations/revocations';
import type { FastifyRequest, onRequestHookHandler, RouteOptions } from 'fastify';
import type { ApiServer } from '../api-server.ts';
import { createAcceptCheck } from './check-accept.ts';

/**
 * What every route gets: authentication and roles, a check of `Accept`, a deadline, and its place in the API description.
 *
 * A route that does not say in `config.roles` who may call it stops the start, so none is open by oversight.
 */
export function addRouteRules(
  app: ApiServer,
  {
    tokens,
    revocations,
    deadlineMs,
    openPrefix,
  }: { tokens: TokenVerifier; revocations: Pick<Revocations, 'assertValid'>; deadlineMs: number; openPrefix: string },
): void {
  app.decorateRequest('identity');
  app.decorateRequest('isTokenExpired', false);

  app.addHook('onRoute', (route) => {
    // The reference page brings routes of its own, which know nothing of these rules.
    if (route.url.startsWith(openPrefix)) return;
    const roles = route.config?.roles;
    if (roles === undefined) throw new Error(`Route ${route.method} ${route.url} does not say who may call it`);
    const checks: onRequestHookHandler[] = [createAcceptCheck(route.config?.produces)];
    if (roles !== 'anyone') {
      const takesExpiredToken = route.config?.takesExpiredToken === true;
      checks.push(createRoleCheck({ tokens, revocations, roles, takesExpiredToken }));
    }
    route.onRequest = [...checks, ...toArray(route.onRequest)];
    if (route.config?.ownDeadline !== true) route.handlerTimeout ??= deadlineMs;
    describe(route, roles);
  });
}

function createRoleCheck({
  tokens,
  revocations,
  roles,
  takesExpiredToken,
}: {
  tokens: TokenVerifier;
  revocations: Pick<Revocations, 'assertValid'>;
  roles: readonly Role[];
  takesExpiredToken: boolean;
}): onRequestHookHandler {
  const isAllowed: Record<Role, boolean> = {
    driver: roles.includes('driver'),
    rider: roles.includes('rider'),
    operator: roles.includes('operator'),
  };
  return (request, _reply, done) => {
    const token = bearerToken(request);
    const identity = takesExpiredToken ? verifyGenuine(request, token) : tokens.verify(token);
    // Not `mustBeFresh`: with Redis and MongoDB both away the signature has to do, since an SOS comes this way.
    revocations.assertValid(identity);
    if (!isAllowed[identity.role]) throw new AppError('forbidden');
    request.identity = identity;
    done();
  };

  function verifyGenuine(request: FastifyRequest, token: string): Identity {
    const { identity, isExpired } = tokens.verifyGenuine(token, EXPIRED_TOKEN_GRACE_MS);
    request.isTokenExpired = isExpired;
    return identity;
  }
}

function bearerToken(request: FastifyRequest): string {
  const header = request.headers.authorization;
  if (header === undefined) throw new AppError('token_missing');
  if (header.startsWith('Bearer ')) return header.slice(7);
  const match = /^bearer +(\S+) *$/i.exec(header);
  if (match?.[1] === undefined) throw new AppError('token_missing');
  return match[1];
}

function describe(route: RouteOptions, roles: readonly Role[] | 'anyone'): void {
  if (route.schema === undefined || route.schema.hide === true) return;
  route.schema = {
    ...route.schema,
    security: roles === 'anyone' ? [] : [{ bearer: [] }],
    response: {
      ...(route.schema.response as object | undefined),
      default: { description: 'Problem details (RFC 9457)', content: problemContent },
    },
  };
}

const problemContent = { 'application/problem+json': { schema: { $ref: 'Problem#' } } };

function toArray<Value>(value: Value | Value[] | undefined): Value[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
