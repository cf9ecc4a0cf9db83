import type { RefreshFrame } from '@hushryd/contracts/realtime/client-frames';
import type { TokenVerifier } from '@hushryd/platform/auth/verify-token';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Revocations } from '@hushryd/tracking/revocations/revocations';
import type { SocketLeases } from '../connections/socket-leases.ts';
import type { FrameHandler } from './dispatch.ts';

/**
 * `refresh`: a newer token of the same user and role, so that the socket outlives the one it was opened with.
 *
 * @throws (as error frames) `token_invalid`, `token_expired`, `token_revoked`, `forbidden` for somebody else's token
 */
export function createRefreshHandler({
  tokens,
  revocations,
  leases,
  now = Date.now,
}: {
  tokens: TokenVerifier;
  revocations: Pick<Revocations, 'assertValid'>;
  leases: SocketLeases;
  now?: () => number;
}): FrameHandler<RefreshFrame> {
  return (connection, { id, token }) => {
    const identity = tokens.verify(token);
    const { userId, role, expiresAtMs } = connection.identity;
    if (identity.userId !== userId || identity.role !== role) throw new AppError('forbidden');
    if (identity.expiresAtMs <= now()) throw new AppError('token_expired');
    revocations.assertValid(identity);
    // An older token that is still good must not shorten the socket's life.
    if (identity.expiresAtMs > expiresAtMs) {
      connection.identity = identity;
      leases.renew(connection);
    }
    const refreshed = { type: 'refreshed', expiresAtMs: connection.identity.expiresAtMs } as const;
    connection.sendFrame(id === undefined ? refreshed : { ...refreshed, id });
  };
}
