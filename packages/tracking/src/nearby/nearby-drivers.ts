import type { Position } from '@hushryd/contracts/fix';
import type { NearbyDriver, NearbyDriversReply } from '@hushryd/contracts/http/drivers';
import { nearbyTopic } from '@hushryd/contracts/realtime/topics';
import type { Identity } from '@hushryd/platform/auth/claims';
import { isStaff } from '../trip-access/access-rules.ts';
import { driversForRiders, isLive, type NearbyQuestion, riderRadiusMeters, toDriver } from './drivers-for-riders.ts';
import { cellAround } from './nearby-cell.ts';
import type { NearbyIndex } from './nearby-index.ts';
import type { PassingIds } from './passing-ids.ts';

/**
 * Drivers near a point, nearest first. Staff see all of them as they are; riders see what `driversForRiders` says.
 *
 * @throws AppError `redis_unavailable`: for riders, before this node has ever had a salt
 * Cost: from memory; an answer is as new as the feed.
 */
export function createNearbyDrivers({
  nearby,
  passingIds,
  now = Date.now,
}: {
  nearby: NearbyIndex;
  passingIds: PassingIds;
  now?: () => number;
}): (identity: Identity, question: NearbyQuestion) => Promise<NearbyDriversReply> {
  return async (identity, question) => {
    const nowMs = now();
    const drivers = isStaff(identity)
      ? forStaff(question, nowMs)
      : driversForRiders(question, { nearby, toPassingId: await passingIds.current(), nowMs });
    return { asOf: new Date(nowMs).toISOString(), topic: nearbyTopic(cellAround(question)), drivers };
  };

  function forStaff(
    { lat, lng, radiusMeters = riderRadiusMeters, limit = 20 }: NearbyQuestion,
    nowMs: number,
  ): NearbyDriver[] {
    const accept = (position: Position) => isLive(position, nowMs);
    return nearby
      .nearest({ lat, lng, radiusMeters, limit, accept })
      .map(({ position, distanceMeters }) => toDriver(position, position.driverId, distanceMeters, nowMs));
  }
}
