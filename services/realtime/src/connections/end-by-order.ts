import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { EndOrder } from '@hushryd/tracking/access-log/access-log';
import type { Connections } from './connections.ts';

/** An operator ended a socket. Whose it is was looked up by nobody before: an id that is somebody else's ends nothing. */
export function endByOrder(connections: Connections, { userId, connectionId }: EndOrder): void {
  const connection = connections.get(connectionId);
  if (connection?.identity.userId === userId) connection.close(closeCodes.endedByOperator, 'ended by an operator');
}
