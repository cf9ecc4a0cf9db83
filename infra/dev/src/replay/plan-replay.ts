import type { LatLng } from '@hushryd/contracts/geo';
import { bearingDegrees, distanceMeters, roundDegrees } from '../geo/sphere.ts';
import type { RecordedFix, RecordedTrip } from './recorded-trip.ts';

/** A fix and when it is due, in wall milliseconds from the start of the plan. */
export interface PlannedFix {
  readonly atMs: number;
  readonly lat: number;
  readonly lng: number;
  readonly speedMps?: number;
  readonly headingDegrees?: number;
}

export interface PlannedTrip {
  readonly tripId: string;
  /** The trip's id in the file: what a person searches for. */
  readonly reference: string;
  readonly origin: LatLng;
  readonly destination: LatLng;
  /** Rising by `atMs`, at least one. */
  readonly fixes: readonly PlannedFix[];
}

/** All trips of one driver, one after the other. */
export interface PlannedDriver {
  readonly driverId: string;
  readonly trips: readonly PlannedTrip[];
}

export interface DrivingPlan {
  readonly drivers: readonly PlannedDriver[];
  readonly tripCount: number;
  readonly fixCount: number;
  /** Wall time from the first fix to the last. */
  readonly durationMs: number;
}

/** Longer silences in a recording stay silences: a tunnel is not a straight line. */
const longestInterpolatedGapMs = 60_000;
/** Below this a change of place is noise, and its direction says nothing. */
const leastHeadingMeters = 4;
const longestIdLength = 64;

/**
 * Lay recorded trips on the wall clock. Pure.
 *
 * Every driver's first trip starts within the first recorded minute, spread evenly; his later ones follow, `gapMs` after the one before.
 * A fix is due at its trip's start + offset / speed. Recorded fixes are kept exactly, also in number; where two are further apart
 * than `intervalMs` (and not more than a minute) evenly spaced ones are put between them. Speed is that of the recording, whatever the
 * replay's, so that a car's speed reads like a car's.
 *
 * @param input.speed N-fold speed, above 0
 * @param input.intervalMs wanted distance of fixes in recorded time; the recording's own interval (or more) means nothing is put between
 * @param input.gapMs wall milliseconds between a driver's trips: time to end one trip and start the next
 * @param input.tripIdSuffix makes trip ids new where the same file was replayed before
 */
export function planReplay(input: {
  trips: readonly RecordedTrip[];
  speed: number;
  intervalMs: number;
  gapMs?: number;
  tripIdSuffix?: string;
}): DrivingPlan {
  const { speed, intervalMs, gapMs = 2000, tripIdSuffix = '' } = input;
  const byDriver = groupByDriver(input.trips.filter((trip) => trip.fixes.length > 0));
  const startWindowMs = 60_000 / speed;

  let tripNumber = 0;
  const drivers = [...byDriver].map(([driverId, trips], index): PlannedDriver => {
    let startMs = Math.floor((startWindowMs * index) / byDriver.size);
    const planned = trips.map((trip) => {
      tripNumber += 1;
      const tripId = nameTrip({ trip, tripNumber, tripIdSuffix });
      const result = planTrip({ trip, tripId, startMs, speed, intervalMs });
      startMs = (result.fixes.at(-1)?.atMs ?? startMs) + gapMs;
      return result;
    });
    return { driverId, trips: planned };
  });

  return summarise(drivers);
}

function summarise(drivers: readonly PlannedDriver[]): DrivingPlan {
  const trips = drivers.flatMap((driver) => driver.trips);
  const endsMs = trips.map((trip) => trip.fixes.at(-1)?.atMs ?? 0);
  return {
    drivers,
    tripCount: trips.length,
    fixCount: trips.reduce((sum, trip) => sum + trip.fixes.length, 0),
    durationMs: endsMs.reduce((latest, end) => Math.max(latest, end), 0),
  };
}

function groupByDriver(trips: readonly RecordedTrip[]): Map<string, RecordedTrip[]> {
  const groups = new Map<string, RecordedTrip[]>();
  for (const trip of [...trips].sort((a, b) => a.startedAtMs - b.startedAtMs)) {
    const group = groups.get(trip.driverId);
    if (group) group.push(trip);
    else groups.set(trip.driverId, [trip]);
  }
  return groups;
}

/** The recorded id with the suffix, or where that gets too long a number: two long ids may differ only in their ends. */
function nameTrip(input: { trip: RecordedTrip; tripNumber: number; tripIdSuffix: string }): string {
  const tripId = input.trip.tripId + input.tripIdSuffix;
  return tripId.length <= longestIdLength ? tripId : `trip-${input.tripNumber}${input.tripIdSuffix}`;
}

function planTrip(input: {
  trip: RecordedTrip;
  tripId: string;
  startMs: number;
  speed: number;
  intervalMs: number;
}): PlannedTrip {
  const { trip, tripId, startMs, speed } = input;
  const points = interpolate(trip.fixes, input.intervalMs);
  const motions = deriveMotion(points);
  const fixes = points.map(({ lat, lng, offsetMs }, index) => ({
    atMs: startMs + Math.round(offsetMs / speed),
    lat,
    lng,
    ...motions[index],
  }));
  return {
    tripId,
    reference: trip.tripId,
    origin: placeOf(points.at(0)),
    destination: placeOf(points.at(-1)),
    fixes,
  };
}

function placeOf(fix: RecordedFix | undefined): LatLng {
  if (!fix) throw new RangeError('a planned trip has at least one fix');
  return { lat: fix.lat, lng: fix.lng };
}

/** Puts evenly spaced points between recorded ones. The recorded ones stay what they are, to the last digit. */
export function interpolate(fixes: readonly RecordedFix[], intervalMs: number): RecordedFix[] {
  return fixes.flatMap((fix, index) => {
    const before = fixes[index - 1];
    if (!before) return [fix];
    const gapMs = fix.offsetMs - before.offsetMs;
    const pieces = gapMs > longestInterpolatedGapMs ? 1 : Math.max(1, Math.ceil(gapMs / intervalMs));
    const between = Array.from({ length: pieces - 1 }, (_, piece): RecordedFix => {
      const share = (piece + 1) / pieces;
      return {
        lat: roundDegrees(before.lat + (fix.lat - before.lat) * share),
        lng: roundDegrees(before.lng + (fix.lng - before.lng) * share),
        offsetMs: before.offsetMs + gapMs * share,
      };
    });
    return [...between, fix];
  });
}

/** Speed and heading of each point from the way that led to it (of the first one: from the way that leaves it). */
function deriveMotion(points: readonly RecordedFix[]): { speedMps?: number; headingDegrees?: number }[] {
  let headingDegrees: number | undefined;
  return points.map((point, index) => {
    const from = index === 0 ? point : points[index - 1];
    const to = index === 0 ? points[1] : point;
    if (!from || !to) return {};
    const meters = distanceMeters(from, to);
    const seconds = (to.offsetMs - from.offsetMs) / 1000;
    if (meters >= leastHeadingMeters) headingDegrees = Math.round(bearingDegrees(from, to)) % 360;
    return {
      ...(seconds > 0 && { speedMps: Math.round((meters / seconds) * 10) / 10 }),
      ...(headingDegrees !== undefined && { headingDegrees }),
    };
  });
}
