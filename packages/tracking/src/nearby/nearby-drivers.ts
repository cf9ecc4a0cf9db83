import type { Position } from '@hushryd/contracts/fix';
import type { NearbyDriver, NearbyDriversReply } from '@hushryd/contracts/http/drivers';
import { nearbyTopic } from '@hushryd/contracts/realtime/topics';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { LivePositions } from '../feed/live-positions.ts';
import { isStaff } from '../trip-access/access-rules.ts';
import { driversForRiders, isLive, type NearbyQuestion, riderRadiusMeters, toDriver } from './drivers-for-riders.ts';
import { cellAround } from './nearby-cell.ts';
import type { NearbyIndex } from './nearby-index.ts';
import type { PassingIds } from './passing-ids.ts';

/**
 * Drivers near a point, nearest first. Staff see all of them as they are; riders see what `driversForRiders` says.
 *
 * @throws AppError `redis_unavailable` before this node has read the positions; for riders, before it has ever had a salt
 * Cost: from memory; an answer is as new as the feed.
 */
export function createNearbyDrivers({
  nearby,
  livePositions,
  passingIds,
  now = Date.now,
}: {
  nearby: NearbyIndex;
  livePositions: Pick<LivePositions, 'isRead'>;
  passingIds: PassingIds;
  now?: () => number;
}): (identity: Identity, question: NearbyQuestion) => Promise<NearbyDriversReply> {
  return async (identity, question) => {
    if (!livePositions.isRead) throw new AppError('redis_unavailable', { detail: 'no position was read yet' });
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
