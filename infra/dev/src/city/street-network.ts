import { crossings, lengthOf, type Point, partOf, pointAt } from './polyline.ts';

export type StreetClass = 'street' | 'avenue' | 'ring' | 'bridge';

/** A piece of road between two junctions, driven both ways. `shape` holds both ends. */
export interface Street {
  readonly from: number;
  readonly to: number;
  readonly class: StreetClass;
  readonly shape: readonly Point[];
}

/** Junctions (by index) and the streets between them. */
export interface StreetNetwork {
  readonly junctions: readonly Point[];
  readonly streets: readonly Street[];
}

/** Crossings nearer to a junction than this use that junction: no city builds two corners ten metres apart. */
const snapMeters = 30;

/**
 * Lay a road across a network: every street that it crosses gets a junction there, and the road connects these. What sticks out before the
 * first and after the last junction is left away. Pure; cost: points of the road × points of all streets.
 */
export function layRoad(network: StreetNetwork, road: { line: readonly Point[]; class: StreetClass }): StreetNetwork {
  const junctions = [...network.junctions];
  const stopsOnRoad: { meters: number; junction: number }[] = [];
  const streets = network.streets.flatMap((street) => {
    const cuts = crossings(street.shape, road.line).sort((a, b) => a.onOne - b.onOne);
    if (cuts.length === 0) return [street];
    const length = lengthOf(street.shape);
    const pieces: Street[] = [];
    let from = street.from;
    let fromMeters = 0;
    for (const cut of cuts) {
      if (cut.onOne - fromMeters < snapMeters) {
        stopsOnRoad.push({ meters: cut.onOther, junction: from });
      } else if (length - cut.onOne < snapMeters) {
        stopsOnRoad.push({ meters: cut.onOther, junction: street.to });
      } else {
        const junction = junctions.push(pointAt(street.shape, cut.onOne)) - 1;
        pieces.push({ ...street, from, to: junction, shape: partOf(street.shape, fromMeters, cut.onOne) });
        stopsOnRoad.push({ meters: cut.onOther, junction });
        from = junction;
        fromMeters = cut.onOne;
      }
    }
    pieces.push({ ...street, from, shape: partOf(street.shape, fromMeters, length) });
    return pieces;
  });
  return { junctions, streets: connect({ road, stopsOnRoad, junctions, streets }) };
}

/** Streets and road together. Where a street already joins two neighbouring stops, the road runs along it. */
function connect(input: {
  road: { line: readonly Point[]; class: StreetClass };
  stopsOnRoad: { meters: number; junction: number }[];
  junctions: readonly Point[];
  streets: readonly Street[];
}): Street[] {
  const { road, junctions } = input;
  const streets = [...input.streets];
  const streetOfPair = new Map(streets.map(({ from, to }, index) => [pairOf(from, to), index]));
  const stops = input.stopsOnRoad.sort((a, b) => a.meters - b.meters);
  for (const [index, stop] of stops.entries()) {
    const before = stops[index - 1];
    const [start, end] = [junctions[before?.junction ?? -1], junctions[stop.junction]];
    if (!before || !start || !end || before.junction === stop.junction) continue;
    const pair = pairOf(before.junction, stop.junction);
    const existing = streetOfPair.get(pair);
    const street = existing === undefined ? undefined : streets[existing];
    if (existing !== undefined && street) {
      if (street.class === 'street') streets[existing] = { ...street, class: road.class };
      continue;
    }
    const between = partOf(road.line, before.meters, stop.meters).slice(1, -1);
    const piece = { from: before.junction, to: stop.junction, class: road.class, shape: [start, ...between, end] };
    streetOfPair.set(pair, streets.push(piece) - 1);
  }
  return streets;
}

const pairOf = (a: number, b: number) => (a < b ? `${a}-${b}` : `${b}-${a}`);

/** Indexes of the streets at each junction. */
export function streetsAtJunctions(network: StreetNetwork): number[][] {
  const at: number[][] = network.junctions.map(() => []);
  for (const [index, street] of network.streets.entries()) {
    at[street.from]?.push(index);
    at[street.to]?.push(index);
  }
  return at;
}

/** The largest part in which every junction can be reached from every other, renumbered. */
export function largestPart(network: StreetNetwork): StreetNetwork {
  const at = streetsAtJunctions(network);
  const partOfJunction = new Map<number, number>();
  const sizes: number[] = [];
  for (const start of network.junctions.keys()) {
    if (partOfJunction.has(start)) continue;
    const part = sizes.length;
    const open = [start];
    partOfJunction.set(start, part);
    let size = 0;
    for (let junction = open.pop(); junction !== undefined; junction = open.pop()) {
      size += 1;
      for (const index of at[junction] ?? []) {
        const street = network.streets[index];
        const next = street?.from === junction ? street.to : street?.from;
        if (next === undefined || partOfJunction.has(next)) continue;
        partOfJunction.set(next, part);
        open.push(next);
      }
    }
    sizes.push(size);
  }
  const largest = sizes.indexOf(Math.max(...sizes));
  return keepJunctions(network, (junction) => partOfJunction.get(junction) === largest);
}

/** The network without some junctions and their streets, renumbered. */
export function keepJunctions(network: StreetNetwork, isKept: (junction: number) => boolean): StreetNetwork {
  const newNumber = new Map<number, number>();
  const junctions: Point[] = [];
  for (const [index, point] of network.junctions.entries()) {
    if (isKept(index)) newNumber.set(index, junctions.push(point) - 1);
  }
  const streets = network.streets.flatMap((street) => {
    const [from, to] = [newNumber.get(street.from), newNumber.get(street.to)];
    return from === undefined || to === undefined ? [] : [{ ...street, from, to }];
  });
  return { junctions, streets };
}
