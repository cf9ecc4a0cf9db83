/**
 * Why a socket ends. Codes of 4400–4499 ask the client to come back (with jitter, or after `retryInMs` of a `draining` frame), codes of
 * 4500–4599 tell it not to: the same attempt would end the same way.
 */
export const closeCodes = {
  /** The node shuts down; come back after the hint of the `draining` frame. */
  draining: 1012,
  /** The server takes no more sockets for the moment, at all or of this user: places come free when half-open sockets are noticed. */
  tryAgainLater: 1013,
  /** The frame is larger than the limit. */
  frameTooLarge: 1009,
  /** Repeated frames that break the protocol or its limits. */
  policyViolation: 1008,
  /** The token ran out, or another role has come into force; ask for a new one and come back. */
  tokenExpired: 4401,
  /** The socket reads too slowly to be told everything; come back and recover. */
  slowConsumer: 4410,
  /** The session was ended: signed out, or banned. */
  sessionEnded: 4501,
  /** An operator ended this socket. */
  endedByOperator: 4502,
} as const;

export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes];

/** Should a client that lost its socket with this code connect again by itself? */
export function mayReconnect(code: number): boolean {
  if (code >= 4500 && code <= 4599) return false;
  return (
    code !== closeCodes.policyViolation &&
    code !== closeCodes.frameTooLarge &&
    code !== 1002 &&
    code !== 1003 &&
    code !== 1007
  );
}
