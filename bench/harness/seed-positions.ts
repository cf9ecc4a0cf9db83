import { createDriverStates } from '@hushryd/tracking/driver-state/driver-states';
import { createWriteBatch, type FixGroup } from '@hushryd/tracking/positions/write-batch';
import { createPlaces, driverId, fixAt, type Place, tripId } from './city.ts';
import type { LiveRedis } from './live-redis.ts';
import { inLanes } from './load/in-lanes.ts';
import { firstSeq } from './load/loc-frame.ts';

const groupsPerCall = 250;

/**
 * A fresh position for drivers 0 to `count` - 1, written as a realtime node writes them.
 *
 * @param onTrip each is on the trip of the same number; otherwise all are available
 * @returns where each driver is
 */
export async function seedPositions(
  { connections, keys }: LiveRedis,
  { count, onTrip, seed }: { count: number; onTrip: boolean; seed: number },
): Promise<Place[]> {
  const redis = connections.commands;
  const numbers = Array.from({ length: count }, (_, driver) => driver);
  if (!onTrip) {
    const states = createDriverStates({ redis, keys });
    await inLanes(numbers, 500, (driver) => states.set({ driverId: driverId(driver), available: true, version: 1 }));
  }

  const nextPlace = createPlaces(seed);
  const places = numbers.map(() => nextPlace());
  const byPartition = new Map<number, FixGroup[]>();
  const nowMs = Date.now();
  for (const driver of numbers) {
    const partition = keys.driverPartition(driverId(driver));
    const groups = byPartition.get(partition) ?? [];
    byPartition.set(partition, groups);
    groups.push({
      driverId: driverId(driver),
      ...(onTrip && { tripId: tripId(driver) }),
      run: nowMs,
      from: firstSeq,
      drops: [],
      receivedAtMs: nowMs,
      fixes: [fixAt(places[driver] as Place, { seq: firstSeq, recordedAtMs: nowMs })],
    });
  }
  const write = createWriteBatch({ redis, keys });
  await Promise.all(
    [...byPartition].map(async ([partition, groups]) => {
      while (groups.length > 0) await write(partition, groups.splice(0, groupsPerCall));
    }),
  );
  return places;
}
