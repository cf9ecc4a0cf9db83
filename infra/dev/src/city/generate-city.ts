import type { LatLng } from '@hushryd/contracts/geo';
import { createPlane, type Plane } from '../geo/sphere.ts';
import { layGrid } from './lay-grid.ts';
import { besideLine, lengthOf, type Point } from './polyline.ts';
import { createNoise, createRandom } from './random.ts';
import { keepJunctions, largestPart, layRoad, type StreetNetwork, streetsAtJunctions } from './street-network.ts';
import { placeLights, type TrafficLight } from './traffic-lights.ts';

/** A made-up city: streets, a river, traffic lights. The same seed makes the same city. */
export interface City {
  readonly network: StreetNetwork;
  /** Indexes into `network.streets` by junction. */
  readonly streetsAt: readonly (readonly number[])[];
  /** By junction; most have none. */
  readonly lights: ReadonlyMap<number, TrafficLight>;
  readonly river: readonly Point[];
  readonly plane: Plane;
}

/** On a plain, far from every coast and border of the base map. */
export const cityCenter: LatLng = { lat: 22.31, lng: 73.18 };
export const cityRadiusMeters = 4800;

/**
 * Make a city about ten kilometres wide: a bent grid of streets with avenues every few blocks, thinner towards the edge; a river with a
 * few bridges and a road on each bank; a ring road; two boulevards across. Pure; about 900 junctions in 0.2 s.
 */
export function generateCity(seed: number): City {
  const random = createRandom(`city/${seed}`);
  const river = layRiver(random.fork('river').next() * 1e6);
  let network = layGrid({ random: random.fork('grid'), river, radiusMeters: cityRadiusMeters });
  for (const bank of [1, -1]) network = layRoad(network, { line: besideLine(river, bank * 110), class: 'avenue' });
  for (const line of layBoulevards(random.fork('boulevards').between(0, Math.PI))) {
    network = layRoad(network, { line, class: 'avenue' });
  }
  network = layRoad(network, { line: layRing(random.fork('ring').next() * 1e6), class: 'ring' });
  network = largestPart(dropDeadEnds(withoutStubs(network)));

  const streetsAt = streetsAtJunctions(network);
  const lights = placeLights({ network, streetsAt, random: random.fork('lights') });
  return { network, streetsAt, lights, river, plane: createPlane(cityCenter) };
}

/** From west to east through the city, past its centre, in slow bends. */
function layRiver(seed: number): Point[] {
  const bend = createNoise(seed, 2600);
  const lean = createRandom(seed).between(-0.25, 0.25);
  const width = cityRadiusMeters * 1.3;
  return Array.from({ length: 131 }, (_, index) => {
    const x = -width + (2 * width * index) / 130;
    return { x, y: 700 + lean * x + 900 * bend(x, 0) };
  });
}

/** A turn and a bit, so that its end meets its start at a junction that both have. */
function layRing(seed: number): Point[] {
  const uneven = createNoise(seed, 1.1);
  return Array.from({ length: 220 }, (_, index) => {
    const angle = (2 * Math.PI * (index % 180)) / 180;
    const radius = cityRadiusMeters * (0.6 + 0.06 * uneven(Math.cos(angle) * 3, Math.sin(angle) * 3));
    return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
  });
}

/** Two roads through the middle, a good third of a turn apart, each with one slow bend. */
function layBoulevards(angle: number): Point[][] {
  const reach = cityRadiusMeters * 0.72;
  return [angle, angle + 1.25].map((direction) =>
    Array.from({ length: 41 }, (_, index) => {
      const along = reach * (index / 20 - 1);
      const aside = 220 * Math.sin((along / reach) * Math.PI);
      return {
        x: along * Math.cos(direction) - aside * Math.sin(direction),
        y: along * Math.sin(direction) + aside * Math.cos(direction),
      };
    }),
  );
}

/** Crossing roads leave slivers; they look like mistakes and make cars twitch. */
function withoutStubs(network: StreetNetwork): StreetNetwork {
  return {
    ...network,
    streets: network.streets.filter((street) => street.class !== 'street' || lengthOf(street.shape) >= 12),
  };
}

function dropDeadEnds(network: StreetNetwork): StreetNetwork {
  const at = streetsAtJunctions(network);
  return keepJunctions(network, (junction) => (at[junction]?.length ?? 0) > 1);
}
