import { randomBytes, randomUUID } from 'node:crypto';
import { hashOf } from './one-time-codes.ts';

/** One sign-in: its newest refresh token, and the one before for a moment. Only hashes are kept. */
export interface RefreshFamily {
  readonly userId: string;
  readonly current: string;
  readonly previous?: string;
  readonly rotatedAtMs: number;
  readonly expiresAtMs: number;
}

export type RefreshFamilies = Record<string, RefreshFamily>;

export interface IssuedRefresh {
  readonly userId: string;
  /** The sign-in, `sid` in its access tokens. */
  readonly sessionId: string;
  readonly refreshToken: string;
}

export interface RefreshTokens {
  /** The first refresh token of a new sign-in. */
  issue(userId: string): IssuedRefresh;
  /**
   * The next token in exchange for the current one, which is worth nothing from then on. A token that was exchanged before ends the whole
   * sign-in, because one of its two holders stole it. Within a minute it only starts a sign-in of its own: a duplicated tab, or an
   * answer that got lost.
   *
   * @returns undefined where the token is unknown, has run out or was used before
   */
  rotate(token: string): IssuedRefresh | undefined;
}

const lifetimeMs = 30 * 24 * 3600_000;
const forgivenMs = 60_000;
const maxFamilies = 200;

/**
 * Opaque refresh tokens, `family.secret`.
 *
 * @param input.families what was kept from earlier starts; changed in place
 * @param input.onChange called after each change, to keep it
 */
export function createRefreshTokens(input: {
  families: RefreshFamilies;
  onChange: (families: RefreshFamilies) => void;
  now?: () => number;
}): RefreshTokens {
  const { families, onChange, now = Date.now } = input;

  const put = (id: string, userId: string, previous?: string): IssuedRefresh => {
    const secret = randomBytes(32).toString('base64url');
    const times = { rotatedAtMs: now(), expiresAtMs: now() + lifetimeMs };
    families[id] = { userId, current: hashOf(secret), ...(previous && { previous }), ...times };
    dropOld(families, now());
    onChange(families);
    return { userId, sessionId: id, refreshToken: `${id}.${secret}` };
  };
  const issue = (userId: string) => put(randomUUID(), userId);

  return {
    issue,
    rotate(token) {
      const [id = '', secret = ''] = token.split('.');
      const family = Object.hasOwn(families, id) ? families[id] : undefined;
      if (!family || family.expiresAtMs <= now()) return undefined;
      const { userId } = family;
      const hash = hashOf(secret);
      if (hash === family.current) return put(id, userId, hash);
      if (hash === family.previous && now() - family.rotatedAtMs < forgivenMs) return issue(userId);
      delete families[id];
      onChange(families);
      return undefined;
    },
  };
}

function dropOld(families: RefreshFamilies, nowMs: number): void {
  const ids = Object.keys(families).sort((a, b) => (families[a]?.rotatedAtMs ?? 0) - (families[b]?.rotatedAtMs ?? 0));
  const surplus = ids.length - maxFamilies;
  for (const [index, id] of ids.entries()) {
    if (index < surplus || (families[id]?.expiresAtMs ?? 0) <= nowMs) delete families[id];
  }
}
