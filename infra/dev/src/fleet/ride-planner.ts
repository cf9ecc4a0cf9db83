import type { LatLng } from '@hushryd/contracts/geo';
import { findRoute, type Route } from '../city/find-route.ts';
import type { City } from '../city/generate-city.ts';
import { distanceBetween, type Point } from '../city/polyline.ts';
import type { Random } from '../city/random.ts';

/** Where people want to go. Seeded: the same draws give the same rides. */
export interface RidePlanner {
  someJunction(): number;
  /** A ride from here, between one and seven kilometres, more often towards the middle than away from it. */
  ride(from: number): Route;
  /** A few blocks, as free drivers do. */
  cruise(from: number): Route;
}

export function createRidePlanner(city: City, random: Random): RidePlanner {
  const { junctions } = city.network;
  const middle: Point = { x: 0, y: 0 };
  const routeWithin = (from: number, reach: { min: number; max: number; towardsMiddle: boolean }): Route => {
    const start = junctions[from] ?? middle;
    for (;;) {
      const to = random.below(junctions.length);
      const goal = junctions[to] ?? middle;
      const meters = distanceBetween(start, goal);
      const isWanted = !reach.towardsMiddle || random.chance(1 - distanceBetween(goal, middle) / 6500);
      const route = meters >= reach.min && meters <= reach.max && isWanted ? findRoute(city, from, to) : undefined;
      if (route) return route;
    }
  };
  return {
    someJunction: () => random.below(junctions.length),
    ride: (from) => routeWithin(from, { min: 1000, max: 7000, towardsMiddle: true }),
    cruise: (from) => routeWithin(from, { min: 150, max: 900, towardsMiddle: false }),
  };
}

/** A route as the plan of a trip: every bend, without the points that follow each other too closely to be seen. */
export function plannedRoute(city: City, route: Route): LatLng[] {
  const points = route.legs.flatMap((leg, index) => (index === 0 ? leg.line : leg.line.slice(1)));
  return points
    .filter((point, index) => {
      const before = points[index - 1];
      return !before || index === points.length - 1 || distanceBetween(before, point) > 15;
    })
    .map((point) => city.plane.toLatLng(point));
}
