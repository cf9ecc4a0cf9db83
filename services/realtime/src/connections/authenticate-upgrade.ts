import { binarySubprotocol, jsonSubprotocol, ticketSubprotocolPrefix } from '@hushryd/contracts/realtime/limits';
import type { Identity } from '@hushryd/platform/auth/claims';
import type { Tickets } from '@hushryd/platform/auth/tickets';
import type { TokenVerifier } from '@hushryd/platform/auth/verify-token';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Revocations } from '@hushryd/tracking/revocations/revocations';
import { chooseSubprotocol, readOffered } from './choose-subprotocol.ts';

/** Headers of an upgrade request, copied: uWS frees the request when its handler returns. */
export interface UpgradeHeaders {
  /** '' where absent, as with every header here. */
  origin: string;
  authorization: string;
  protocols: string;
}

const bearerFormat = /^Bearer +(\S+)$/i;

/** Is there a token, which is judged at once, and not a ticket? */
export const isBearer = ({ authorization }: UpgradeHeaders): boolean => bearerFormat.test(authorization);

/** A bearer token is judged at once, a ticket has to be asked for. */
export type AuthenticateUpgrade = (headers: UpgradeHeaders) => Identity | Promise<Identity>;

/**
 * Who wants to open a socket: from a bearer token (native apps), or a single-use ticket as a further subprotocol (browsers). Nothing is
 * kept of a caller before this has answered.
 *
 * A browser always sends its Origin, so one that is there must be allowed; a ticket is good for the origin it was issued to alone.
 *
 * @throws (or rejects with) AppError `origin_refused`, `request_invalid` (subprotocol), `token_missing`, `token_invalid`, `token_expired`,
 *   `token_revoked`, `ticket_invalid`, `access_unavailable` (nobody knows whether it was revoked), `redis_unavailable`
 * Cost: bearer none beyond the signature (once a token), ticket one GETDEL.
 */
export function createAuthenticateUpgrade({
  tokens,
  tickets,
  revocations,
  allowedOrigins,
  now = Date.now,
}: {
  tokens: TokenVerifier;
  tickets: Tickets;
  revocations: Pick<Revocations, 'assertValid'>;
  allowedOrigins: ReadonlySet<string>;
  now?: () => number;
}): AuthenticateUpgrade {
  return ({ origin, authorization, protocols: offered }) => {
    if (origin !== '' && !allowedOrigins.has(origin)) throw new AppError('origin_refused');
    const protocols = readOffered(offered);
    if (chooseSubprotocol(protocols) === undefined) {
      const detail = `the subprotocol ${jsonSubprotocol} or ${binarySubprotocol} must be offered`;
      throw new AppError('request_invalid', { detail });
    }
    const bearer = bearerFormat.exec(authorization)?.[1];
    if (bearer !== undefined) return assertCurrent(tokens.verify(bearer));
    const ticket = protocols.find((protocol) => protocol.startsWith(ticketSubprotocolPrefix));
    if (ticket === undefined) throw new AppError('token_missing');
    const value = ticket.slice(ticketSubprotocolPrefix.length);
    return tickets.redeem({ ticket: value, origin: origin === '' ? undefined : origin }).then(assertCurrent);
  };

  /** A token is believed for a little after its end, for clocks that differ; a socket that ends at once helps nobody. */
  function assertCurrent(identity: Identity): Identity {
    if (identity.expiresAtMs <= now()) throw new AppError('token_expired');
    revocations.assertValid(identity, { mustBeFresh: true });
    return identity;
  }
}
