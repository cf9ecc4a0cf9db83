import type { GetToken } from './get-token.ts';

/** The app's `getToken`, told which token the server refused until another is accepted. */
export interface AccessTokens {
  get(): Promise<string>;
  /** The server refused this token; without one, the newest. */
  refuse(token?: string): void;
  accept(): void;
  /** The last word on a token was that it is refused. */
  readonly isRefused: boolean;
}

export function createAccessTokens(getToken: GetToken): AccessTokens {
  let newest: string | undefined;
  let refused: string | undefined;

  return {
    async get() {
      newest = await getToken({ ...(refused !== undefined && { refused }) });
      return newest;
    },
    refuse(token = newest) {
      refused = token;
    },
    accept() {
      refused = undefined;
    },
    get isRefused() {
      return refused !== undefined;
    },
  };
}
