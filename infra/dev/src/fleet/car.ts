import type { FixReading } from '@hushryd/sdk/fixes/reading';
import { createDrive, type Drive, type Motion } from '../city/drive-route.ts';
import type { Route } from '../city/find-route.ts';
import type { City } from '../city/generate-city.ts';
import { createGpsNoise } from '../city/gps-noise.ts';
import type { Random } from '../city/random.ts';

/** A car with a phone in it: where it really is, and what the phone reads. */
export interface Car {
  /** Junction where the car stands, or drives to. */
  readonly junction: number;
  /** Set off along a route that starts at `junction`. */
  depart(route: Route, nowMs: number): void;
  /** What the phone reads at this moment (not before the last one), and whether the car has arrived. */
  read(nowMs: number): { reading: FixReading; hasArrived: boolean };
}

/** Deterministic for its seed and the moments it is asked about. */
export function createCar(input: { city: City; random: Random; junction: number }): Car {
  const { city, random } = input;
  const noise = createGpsNoise(random.fork('noise'));
  const pace = random.between(0.85, 1.1);
  const fullBatteryPercent = random.between(55, 100);
  let junction = input.junction;
  let drive: Drive | undefined;
  let last: Motion = {
    point: city.network.junctions[junction] ?? { x: 0, y: 0 },
    direction: random.between(-Math.PI, Math.PI),
    speedMps: 0,
    hasArrived: true,
  };
  let firstReadMs: number | undefined;

  return {
    get junction() {
      return junction;
    },
    depart(route, nowMs) {
      drive = createDrive({ city, route, startMs: nowMs, pace });
      junction = route.legs.at(-1)?.toJunction ?? junction;
    },
    read(nowMs) {
      last = drive?.advanceTo(nowMs) ?? last;
      if (last.hasArrived) drive = undefined;
      firstReadMs ??= nowMs;
      const { point, accuracyMeters } = noise.blur(last.point, nowMs);
      // A phone in a car mostly charges: it loses two percent an hour.
      const batteryPercent = Math.max(5, fullBatteryPercent - ((nowMs - firstReadMs) / 3_600_000) * 2);
      const reading = {
        recordedAtMs: nowMs,
        ...city.plane.toLatLng(point),
        accuracyMeters,
        speedMps: Math.round(Math.max(0, last.speedMps + (last.speedMps > 0.5 ? random.normal(0.2) : 0)) * 10) / 10,
        headingDegrees: headingOf(last.direction),
        batteryPercent: Math.round(batteryPercent),
      };
      return { reading, hasArrived: last.hasArrived };
    },
  };
}

/** From the plane (counter-clockwise from east) to the compass (clockwise from north). */
function headingOf(direction: number): number {
  return (Math.round(90 - (direction * 180) / Math.PI) + 360) % 360;
}
