import { randomUUID } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { type Audience, MAX_TOKEN_LIFE_MS, type Role } from './claims.ts';

export interface TokenSigner {
  /**
   * @param lifetimeMs at most 15 minutes
   * @param sessionId of the sign-in, the same in each of its tokens: then signing out ends all of them
   * @returns a compact JWS
   */
  sign(grant: { userId: string; role: Role; audience: Audience; lifetimeMs: number; sessionId?: string }): string;
}

/**
 * Issue access tokens, for development and tests: the services only verify.
 *
 * @param privateKeyPem Ed25519, PKCS 8
 */
export function createTokenSigner({
  privateKeyPem,
  kid,
  issuer,
  now = Date.now,
}: {
  privateKeyPem: string;
  kid: string;
  issuer: string;
  now?: () => number;
}): TokenSigner {
  const sign = createSigner<Record<string, unknown>>({
    key: privateKeyPem,
    algorithm: 'EdDSA',
    header: { alg: 'EdDSA', typ: 'at+jwt', kid },
  });

  return {
    sign({ userId, role, audience, lifetimeMs, sessionId }) {
      if (!(lifetimeMs > 0 && lifetimeMs <= MAX_TOKEN_LIFE_MS)) {
        throw new RangeError(`A token lives at most ${MAX_TOKEN_LIFE_MS} ms, asked for ${lifetimeMs}`);
      }
      const issuedAt = Math.floor(now() / 1000);
      const expiresAt = issuedAt + Math.ceil(lifetimeMs / 1000);
      return sign({
        iss: issuer,
        sub: userId,
        aud: audience,
        role,
        jti: randomUUID(),
        ...(sessionId !== undefined && { sid: sessionId }),
        iat: issuedAt,
        nbf: issuedAt,
        exp: expiresAt,
      });
    },
  };
}
