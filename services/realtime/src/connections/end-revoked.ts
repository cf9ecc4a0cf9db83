import type { Revocation } from '@hushryd/contracts/http/sessions';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { isRevokedBy, isSignedOutBy } from '@hushryd/tracking/revocations/revocations';
import type { Connections } from './connections.ts';

/**
 * End the sockets that were opened with tokens that are revoked now. Whoever has another role comes back with a new token by itself
 * (4401), all others stay away (4501), and so does a session that was signed out by name: the reason is that of all the others.
 */
export function endRevoked(connections: Connections, revocation: Revocation): void {
  for (const connection of connections.of(revocation.userId)) {
    if (!isRevokedBy(revocation, connection.identity)) continue;
    if (isSignedOutBy(revocation, connection.identity)) connection.close(closeCodes.sessionEnded, 'signed_out');
    else if (revocation.reason === 'role_changed') connection.close(closeCodes.tokenExpired, 'role changed');
    else connection.close(closeCodes.sessionEnded, revocation.reason);
  }
}
