import { setTimeout as sleep } from 'node:timers/promises';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { RealtimeNodes } from '@hushryd/platform/nodes/realtime-nodes';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { createAccessOrders } from '@hushryd/tracking/access-log/access-orders';

/** @throws AppError `not_found`, `deadline_exceeded` where its node did not act in time, `redis_unavailable` */
export type EndConnection = (connection: { userId: string; connectionId: string }) => Promise<void>;

const goneWithinMs = 4000;
const lookEveryMs = 100;

/**
 * End one socket on whichever node it is: its node reads the order in the access log within a second, closes it, and gives up its lease,
 * which is how we know.
 */
export function createEndConnection({
  redis,
  keys,
  realtimeNodes,
}: {
  redis: RedisClient;
  keys: Keys;
  realtimeNodes: Pick<RealtimeNodes, 'socketsOf'>;
}): EndConnection {
  const orders = createAccessOrders({ redis, keys });

  return async ({ userId, connectionId }) => {
    const isOpen = async () =>
      (await realtimeNodes.socketsOf(userId)).some((socket) => socket.connectionId === connectionId);
    if (!(await isOpen())) throw new AppError('not_found');
    await orders.end({ topic: userTopic(userId), connectionId });
    for (let waitedMs = 0; waitedMs < goneWithinMs; waitedMs += lookEveryMs) {
      await sleep(lookEveryMs);
      if (!(await isOpen())) return;
    }
    throw new AppError('deadline_exceeded', { detail: 'its node has not said that it is gone' });
  };
}
