import type { TokenAsked } from '@hushryd/sdk/http/get-token';
import { type Grant, requestGrant, type SignedInUser, SignInError } from './token-endpoint.ts';

/** Where signing in stands. `refused` carries why, so that the page can say what to do. */
export type SessionState =
  | { status: 'starting' }
  | { status: 'signed-in'; user: SignedInUser }
  | {
      status: 'signed-out';
      why: 'no-code' | 'code-refused' | 'session-ended' | 'left' | 'unreachable';
      correlationId?: string;
    };

type GetSessionToken = (asked?: TokenAsked) => Promise<string>;

export interface Session {
  state(): SessionState;
  subscribe(listener: () => void): () => void;
  /** Sign in with the code of a one-time link, or, without one, with what this tab kept. */
  start(code: string | undefined): Promise<void>;
  /**
   * A token with at least a minute to live, and not the one that the server refused; refreshes at most once at a time.
   *
   * @throws SignInError
   */
  getToken: GetSessionToken;
  /** Forget everything that this tab knows; `session-ended` where the server ended it. */
  end(why: 'left' | 'session-ended'): void;
}

const storageKey = 'hushryd.refresh-token';
const refreshBeforeMs = 60_000;

/** Refresh tokens stay in `sessionStorage`: a reload keeps the operator signed in, closing the tab does not. */
export function createSession(input: { tokenUrl: string; storage: Storage; now?: () => number }): Session {
  const now = input.now ?? Date.now;
  const listeners = new Set<() => void>();
  let state: SessionState = { status: 'starting' };
  let grant: Grant | undefined;
  let refreshing: Promise<Grant> | undefined;

  function become(next: SessionState): void {
    state = next;
    for (const listener of listeners) listener();
  }

  function accept(next: Grant): Grant {
    grant = next;
    if (next.refreshToken !== undefined) input.storage.setItem(storageKey, next.refreshToken);
    if (state.status !== 'signed-in' || state.user.userId !== next.user.userId) {
      become({ status: 'signed-in', user: next.user });
    }
    return next;
  }

  function end(why: 'left' | 'session-ended'): void {
    grant = undefined;
    input.storage.removeItem(storageKey);
    become({ status: 'signed-out', why });
  }

  async function refresh(): Promise<Grant> {
    const refreshToken = input.storage.getItem(storageKey);
    if (refreshToken === null) {
      end('session-ended');
      throw new SignInError('refused');
    }
    try {
      return accept(await requestGrant(input.tokenUrl, { refreshToken }));
    } catch (error) {
      if (error instanceof SignInError && error.reason === 'refused') end('session-ended');
      throw error;
    }
  }

  function refreshOnce(): Promise<Grant> {
    refreshing ??= refresh().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start(code) {
      try {
        if (code !== undefined) accept(await requestGrant(input.tokenUrl, { code }));
        else if (input.storage.getItem(storageKey) !== null) await refreshOnce();
        else become({ status: 'signed-out', why: 'no-code' });
      } catch (error) {
        if (!(error instanceof SignInError)) throw error;
        const why = error.reason === 'unreachable' ? 'unreachable' : whyRefused(code);
        const { correlationId } = error;
        become({ status: 'signed-out', why, ...(correlationId === undefined ? {} : { correlationId }) });
      }
    },
    async getToken({ refused } = {}) {
      if (grant?.token === refused) grant = undefined;
      if (grant !== undefined && grant.expiresAtMs - now() > refreshBeforeMs) return grant.token;
      return (await refreshOnce()).token;
    },
    end,
  };
}

const whyRefused = (code: string | undefined) => (code === undefined ? 'session-ended' : 'code-refused');
