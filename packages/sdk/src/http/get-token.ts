/**
 * A bearer token for the API; asked for anew with every use, so cache it and renew it before it runs out. Where the cached one is
 * `asked.refused`, get another: the user has another role, or the session was ended, long before the token would run out.
 */
export type GetToken = (asked: TokenAsked) => string | Promise<string>;

export interface TokenAsked {
  /** The token that the server refused last, until it has accepted another: giving it again is giving up. */
  refused?: string;
}
