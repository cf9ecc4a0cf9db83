import type { Position } from '@hushryd/contracts/fix';
import type { NearbyDriver } from '@hushryd/contracts/http/drivers';
import { distanceMeters } from '../geo/distance.ts';
import { positionMaxAgeMs } from '../positions/read-position.ts';
import type { NearbyIndex } from './nearby-index.ts';

export interface NearbyQuestion {
  lat: number;
  lng: number;
  radiusMeters?: number;
  limit?: number;
}

export const riderRadiusMeters = 5_000;
const riderLimit = 10;
/** A rider's radius is rounded up to a multiple of this. */
const riderRadiusStepMeters = 100;

/** No place is further than this from itself to 4 decimals: half a step in each direction, 5.56 m at most. */
const roundingMeters = 8;

/**
 * What a rider sees of the drivers near a point, nearest first: at most 10 available ones within 5 km, under passing ids and to 4
 * decimals (11 m). Who is among them, in which order and how far away, depends on those rounded places alone, and radii go in steps
 * of 100 m: circles drawn from many points would otherwise find the exact place.
 */
export function driversForRiders(
  { lat, lng, radiusMeters = riderRadiusMeters, limit = riderLimit }: NearbyQuestion,
  { nearby, toPassingId, nowMs }: { nearby: NearbyIndex; toPassingId: (driverId: string) => string; nowMs: number },
): NearbyDriver[] {
  const withinMeters = Math.min(inSteps(radiusMeters), riderRadiusMeters);
  const accept = (position: Position) => position.state === 'available' && isLive(position, nowMs);
  // All that may be among the nearest once places are rounded: whom rounding may bring before the last of them too.
  return nearby
    .nearest({
      lat,
      lng,
      radiusMeters: withinMeters + roundingMeters,
      limit: Math.min(limit, riderLimit),
      tieMeters: 2 * roundingMeters,
      accept,
    })
    .map(({ position }) => {
      const place = { lat: fourDecimals(position.lat), lng: fourDecimals(position.lng) };
      const meters = distanceMeters(lat, lng, place.lat, place.lng);
      return { driver: toDriver({ ...position, ...place }, toPassingId(position.driverId), meters, nowMs), meters };
    })
    .filter(({ meters }) => meters <= withinMeters)
    .sort((one, other) => one.meters - other.meters || compareText(one.driver.driverId, other.driver.driverId))
    .slice(0, Math.min(limit, riderLimit))
    .map(({ driver }) => driver);
}

export function toDriver(position: Position, driverId: string, meters: number, nowMs: number): NearbyDriver {
  return {
    driverId,
    lat: position.lat,
    lng: position.lng,
    ...(position.headingDegrees !== undefined && { headingDegrees: position.headingDegrees }),
    distanceMeters: Math.round(meters),
    ageSeconds: Math.max(0, Math.round((nowMs - position.recordedAtMs) / 1000)),
  };
}

export const isLive = (position: Position, nowMs: number): boolean => nowMs - position.recordedAtMs <= positionMaxAgeMs;
const fourDecimals = (degrees: number) => Math.round(degrees * 1e4) / 1e4;
const inSteps = (meters: number) => Math.ceil(meters / riderRadiusStepMeters) * riderRadiusStepMeters;
/** Drivers at the same rounded place need an order that says nothing about where they are. */
const compareText = (one: string, other: string) => (one < other ? -1 : Number(one > other));
