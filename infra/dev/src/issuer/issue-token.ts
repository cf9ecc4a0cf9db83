import { timingSafeEqual } from 'node:crypto';
import { IdSchema } from '@hushryd/contracts/ids';
import type { Role } from '@hushryd/platform/auth/claims';
import type { TokenSigner } from '@hushryd/platform/auth/sign-token';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { hashOf, type OneTimeCodes } from './one-time-codes.ts';
import type { IssuedRefresh, RefreshTokens } from './refresh-tokens.ts';

const closed = { additionalProperties: false };
const CodeSchema = Type.Object({ code: Type.String({ maxLength: 200 }) }, closed);
const RefreshSchema = Type.Object({ refreshToken: Type.String({ maxLength: 200 }) }, closed);
const RoleSchema = Type.Union([Type.Literal('driver'), Type.Literal('rider'), Type.Literal('operator')]);
const FleetSchema = Type.Object({ userId: IdSchema, role: RoleSchema }, closed);

/** Body of `POST /dev/token`: a code of a printed link, a refresh token, or (with the fleet's secret) whom to speak for. */
export type TokenRequest = Static<typeof CodeSchema> | Static<typeof RefreshSchema> | Static<typeof FleetSchema>;

export interface TokenReply {
  readonly token: string;
  /** ISO 8601. */
  readonly expiresAt: string;
  readonly refreshToken?: string;
  readonly user: { readonly userId: string; readonly role: Role; readonly name: string };
}

export type TokenOutcome =
  | { readonly reply: TokenReply }
  | { readonly refused: 'body' | 'code' | 'refresh_token' | 'fleet_secret' };

/** The person at the console of a development machine. */
const operatorId = 'operator-dev';
const tokenLifetimeMs = 15 * 60_000;

/** What `POST /dev/token` does, apart from HTTP. */
export function createTokenIssuer(input: {
  signer: TokenSigner;
  codes: OneTimeCodes;
  refreshTokens: RefreshTokens;
  fleetSecret: string;
  now?: () => number;
}): (body: unknown, authorization: string | undefined) => TokenOutcome {
  const { signer, codes, refreshTokens, fleetSecret, now = Date.now } = input;

  const grant = (userId: string, role: Role, session?: IssuedRefresh): TokenOutcome => {
    const audience = role === 'operator' ? 'admin' : 'user';
    const { sessionId, refreshToken } = session ?? {};
    const named = sessionId === undefined ? {} : { sessionId };
    const token = signer.sign({ userId, role, audience, lifetimeMs: tokenLifetimeMs, ...named });
    const name = userId === operatorId ? 'Operator' : userId;
    const expiresAt = new Date(now() + tokenLifetimeMs).toISOString();
    return { reply: { token, expiresAt, ...(refreshToken && { refreshToken }), user: { userId, role, name } } };
  };

  return (body, authorization) => {
    if (Value.Check(CodeSchema, body)) {
      return codes.redeem(body.code)
        ? grant(operatorId, 'operator', refreshTokens.issue(operatorId))
        : { refused: 'code' };
    }
    if (Value.Check(RefreshSchema, body)) {
      const next = refreshTokens.rotate(body.refreshToken);
      return next ? grant(next.userId, 'operator', next) : { refused: 'refresh_token' };
    }
    if (Value.Check(FleetSchema, body)) {
      if (!isSame(authorization ?? '', `Bearer ${fleetSecret}`)) return { refused: 'fleet_secret' };
      return grant(body.userId, body.role);
    }
    return { refused: 'body' };
  };
}

/** In a time that says nothing about where the two differ. */
export function isSame(presented: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(presented)), Buffer.from(hashOf(expected)));
}
