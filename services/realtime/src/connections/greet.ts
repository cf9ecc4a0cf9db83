import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { Connection } from './connection.ts';
import type { SocketLeases } from './socket-leases.ts';

/**
 * Begin an open socket: one that is over its user's limit is sent away (1013: places come free when half-open sockets are noticed),
 * all others hear `ready`, and how live things are.
 */
export async function greet({
  connection,
  leases,
  isLive,
}: {
  connection: Connection;
  leases: SocketLeases;
  isLive: () => boolean;
}): Promise<void> {
  if (!(await leases.take(connection))) {
    connection.close(closeCodes.tryAgainLater, 'too_many_sockets');
    return;
  }
  if (!connection.isOpen) {
    leases.release(connection);
    return;
  }
  connection.sendFrame({
    type: 'ready',
    connectionId: connection.id,
    serverTimeMs: Date.now(),
    expiresAtMs: connection.identity.expiresAtMs,
  });
  if (!isLive()) connection.sendFrame({ type: 'status', live: false });
}
