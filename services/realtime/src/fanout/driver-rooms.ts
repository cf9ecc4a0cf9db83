import { driverTopic } from '@hushryd/contracts/realtime/topics';
import type { Connection, Membership } from '../connections/connection.ts';
import type { Hub } from './hub.ts';
import { roomNumber } from './room-listeners.ts';
import type { Rooms } from './rooms.ts';

/**
 * Subscribe a socket to a driver: `subscribed`, the newest position, then live. Who may is decided before, by identity alone.
 *
 * @throws AppError `redis_unavailable`
 */
export async function joinDriver(
  { rooms, hub }: { rooms: Rooms; hub: Hub },
  {
    connection,
    place,
    driverId,
    id,
  }: { connection: Connection; place: Membership; driverId: string; id: number | undefined },
): Promise<void> {
  const topic = driverTopic(driverId);
  const subscription = rooms.enter({ connection, place, topic, driverId });
  await hub.catchUp(driverId);
  if (subscription.state !== 'joining') return;
  connection.sendFrame({ type: 'subscribed', ...(id !== undefined && { id }), topic, ...roomNumber(subscription) });
  hub.goLive(subscription);
}
