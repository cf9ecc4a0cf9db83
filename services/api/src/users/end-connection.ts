import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@hushryd/platform/errors/app-error';
import { nodeOf, type RealtimeNodes } from '@hushryd/platform/nodes/realtime-nodes';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { createAccessOrders } from '@hushryd/tracking/access-log/access-orders';

/**
 * @returns `gone`, or `ordered` where nobody can say whether there was such a socket: its node closes it if there is
 * @throws AppError `not_found` where its node is not up, `deadline_exceeded` where that did not act in time, `redis_unavailable`
 */
export type EndConnection = (connection: { userId: string; connectionId: string }) => Promise<'gone' | 'ordered'>;

const goneWithinMs = 4000;
const lookEveryMs = 100;

/**
 * End one socket on whichever node it is: its node reads the order in the access log within a second, closes it, and gives up its lease,
 * which is how we know. A socket that was opened while Redis was away has no lease; it is ended all the same.
 */
export function createEndConnection({
  redis,
  keys,
  realtimeNodes,
}: {
  redis: RedisClient;
  keys: Keys;
  realtimeNodes: Pick<RealtimeNodes, 'alive' | 'socketsOf'>;
}): EndConnection {
  const orders = createAccessOrders({ redis, keys });

  return async ({ userId, connectionId }) => {
    const hasLease = async () =>
      (await realtimeNodes.socketsOf(userId)).some((socket) => socket.connectionId === connectionId);
    if (!(await realtimeNodes.alive()).has(nodeOf(connectionId))) throw new AppError('not_found');
    const hadLease = await hasLease();
    await orders.end({ userId, connectionId });
    if (!hadLease) return 'ordered';
    for (let waitedMs = 0; waitedMs < goneWithinMs; waitedMs += lookEveryMs) {
      await sleep(lookEveryMs);
      if (!(await hasLease())) return 'gone';
    }
    throw new AppError('deadline_exceeded', { detail: 'its node has not said that it is gone' });
  };
}
