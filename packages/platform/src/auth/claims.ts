/** Who may be signed in. */
export type Role = 'driver' | 'rider' | 'operator';

/** `user` for phones and browsers of drivers and riders, `admin` for operators. */
export type Audience = 'user' | 'admin';

/** Who a verified token speaks for. */
export interface Identity {
  readonly userId: string;
  readonly role: Role;
  /** `jti`. */
  readonly tokenId: string;
  /** `sid`: the sign-in that the token comes from, the same in all that replace one another. Absent where the issuer names none. */
  readonly sessionId?: string;
  /** `iat`, which counts in whole seconds. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly audience: Audience;
}

/** Claims of a token whose signature has been verified. Times in seconds (RFC 7519 NumericDate). */
export type TokenClaims = Record<string, unknown>;

export interface ClaimRules {
  issuer: string;
  audiences: readonly Audience[];
  clockToleranceMs: number;
}

/** Longest life of a token. */
export const MAX_TOKEN_LIFE_MS = 15 * 60_000;

/** A call for help is taken with a genuine token that ran out so long ago. Source: reliability §6. */
export const EXPIRED_TOKEN_GRACE_MS = 24 * 3_600_000;

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The identity that verified claims give, or why they give none. Pure: the clock is an argument. */
export function readClaims(
  claims: TokenClaims,
  rules: ClaimRules,
  nowMs: number,
):
  | { identity: Identity }
  | { refused: 'claims' }
  | { refused: 'not yet valid'; early: Identity }
  | { refused: 'expired'; expired: Identity } {
  const { iss, aud, sub, role, jti, sid, iat, nbf, exp } = claims;
  if (iss !== rules.issuer || !isId(sub) || !isId(jti) || !isRole(role)) return { refused: 'claims' };
  if (sid !== undefined && !isId(sid)) return { refused: 'claims' };
  const audience = rules.audiences.find((allowed) => allowed === aud);
  if (audience === undefined || (audience === 'admin') !== (role === 'operator')) return { refused: 'claims' };
  if (!isSeconds(iat) || !isSeconds(nbf) || !isSeconds(exp)) return { refused: 'claims' };
  if (exp <= iat || (exp - iat) * 1000 > MAX_TOKEN_LIFE_MS) return { refused: 'claims' };

  const times = { issuedAtMs: iat * 1000, expiresAtMs: exp * 1000 };
  const session = sid === undefined ? {} : { sessionId: sid };
  const identity: Identity = { userId: sub, role, tokenId: jti, ...session, ...times, audience };
  if (Math.max(nbf, iat) * 1000 > nowMs + rules.clockToleranceMs) {
    return { refused: 'not yet valid', early: Object.freeze(identity) };
  }
  if (isExpired(identity, rules, nowMs)) return { refused: 'expired', expired: Object.freeze(identity) };
  return { identity: Object.freeze(identity) };
}

export function isExpired(identity: Identity, rules: ClaimRules, nowMs: number): boolean {
  return nowMs >= identity.expiresAtMs + rules.clockToleranceMs;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

function isRole(value: unknown): value is Role {
  return value === 'driver' || value === 'rider' || value === 'operator';
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= 8.64e12;
}
