import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Identity, Role } from '@hushryd/platform/auth/claims';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';

/** Fastify with types from the routes' schemas. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before any handler of a route that names roles. */
    identity: Identity;
    /** The token had run out; only where the route allows for it, see `takesExpiredToken`. */
    isTokenExpired: boolean;
  }

  interface FastifyContextConfig {
    /** Who may call the route; required on every route, see plugins/route-rules.ts. */
    roles?: readonly Role[] | 'anyone';
    /** Media types the route can answer with; JSON where it does not say. */
    produces?: readonly string[];
    /** The route bounds its own waiting, in less time than Fastify's timer costs. */
    ownDeadline?: boolean;
    /** Genuine tokens that ran out within a day are taken too: a call of help must not fail for want of a new one. Revocations are kept as long. */
    takesExpiredToken?: true;
  }
}
