import type { Random } from './random.ts';
import type { StreetNetwork } from './street-network.ts';

/** A traffic light with a fixed cycle: first the main axis has green, then the other one. */
export interface TrafficLight {
  readonly cycleMs: number;
  readonly offsetMs: number;
  /** Share of the cycle in which the main axis may go. */
  readonly mainShare: number;
  /** Direction of the main axis on the plane, radians, 0 ≤ axis < π. */
  readonly mainAxis: number;
}

/** Part of each phase in which nobody gets green any more. */
const clearingMs = 4000;

/** Lights where large roads meet, and at some corners of an avenue. */
export function placeLights(input: {
  network: StreetNetwork;
  streetsAt: readonly (readonly number[])[];
  random: Random;
}): Map<number, TrafficLight> {
  const { network, streetsAt, random } = input;
  const lights = new Map<number, TrafficLight>();
  for (const [junction, indexes] of streetsAt.entries()) {
    const streets = indexes.map((index) => network.streets[index]).filter((street) => street !== undefined);
    const main = streets.filter((street) => street.class !== 'street');
    const hasLight = streets.length >= 4 && (main.length >= 3 || (main.length > 0 && random.chance(0.35)));
    const [first] = main;
    if (!hasLight || !first) continue;
    lights.set(junction, {
      cycleMs: Math.round(random.between(46, 74)) * 1000,
      offsetMs: Math.round(random.between(0, 74)) * 1000,
      mainShare: main.length >= 3 ? 0.5 : 0.65,
      mainAxis: axisOf(first.shape.at(0), first.shape.at(-1)),
    });
  }
  return lights;
}

/** May a car that arrives in this direction (radians on the plane) go? */
export function isGreen(light: TrafficLight, direction: number, nowMs: number): boolean {
  const intoCycleMs = (nowMs + light.offsetMs) % light.cycleMs;
  const mainMs = light.cycleMs * light.mainShare;
  const isMain = isAlong(light.mainAxis, direction);
  return isMain ? intoCycleMs < mainMs - clearingMs : intoCycleMs >= mainMs && intoCycleMs < light.cycleMs - clearingMs;
}

function isAlong(axis: number, direction: number): boolean {
  return Math.abs(Math.cos(direction - axis)) > Math.SQRT1_2;
}

function axisOf(from: { x: number; y: number } | undefined, to: { x: number; y: number } | undefined): number {
  if (!from || !to) return 0;
  return (Math.atan2(to.y - from.y, to.x - from.x) + Math.PI) % Math.PI;
}
