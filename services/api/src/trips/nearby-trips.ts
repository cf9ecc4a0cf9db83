import type { NearbyTripsReply } from '@hushryd/contracts/http/trips';
import type { NearbyIndex } from '@hushryd/tracking/nearby/nearby-index';
import { positionMaxAgeMs } from '@hushryd/tracking/positions/read-position';
import { toLocation } from '../location-reply.ts';

/** Live positions that count for a trip, nearest first. From memory; an answer is as new as the feed. */
export function findNearbyTrips(
  nearby: NearbyIndex,
  { lat, lng, radiusMeters = 5_000, limit = 20 }: { lat: number; lng: number; radiusMeters?: number; limit?: number },
  nowMs: number,
): NearbyTripsReply {
  const found = nearby.nearest({
    lat,
    lng,
    radiusMeters,
    limit,
    accept: ({ tripId, recordedAtMs }) => tripId !== undefined && nowMs - recordedAtMs <= positionMaxAgeMs,
  });
  return {
    asOf: new Date(nowMs).toISOString(),
    trips: found.map(({ position, distanceMeters }) => ({
      tripId: position.tripId as string,
      distanceMeters: Math.round(distanceMeters * 10) / 10,
      location: toLocation(position, nowMs),
    })),
  };
}
