import { createAccessPublisher } from '@hushryd/tracking/trip-access/publish-access';
import { driverId, riderId, tripId } from './city.ts';
import type { LiveRedis } from './live-redis.ts';
import { inLanes } from './load/in-lanes.ts';

/** Active trips 0 to `count` - 1, each with its driver and one rider of the same number, as a start over the api leaves them in Redis. */
export async function startTrips({ connections, keys }: LiveRedis, count: number): Promise<void> {
  const access = createAccessPublisher({ redis: connections.commands, keys });
  const startedAtMs = Date.now() - 60_000;
  const numbers = Array.from({ length: count }, (_, index) => index);
  await inLanes(numbers, 200, (index) =>
    access.publish({
      access: {
        tripId: tripId(index),
        version: 1,
        state: 'active',
        driverId: driverId(index),
        passengerIds: [riderId(index)],
        startedAtMs,
      },
    }),
  );
}
