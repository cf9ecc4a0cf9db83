import type { Position } from '@hushryd/contracts/fix';
import { gridDiskDistances, latLngToCell } from 'h3-js';
import { LRUCache } from 'lru-cache';
import { distanceMeters } from '../geo/distance.ts';
import { reachBox } from '../geo/reach-box.ts';
import { type Cell, createCellGrid, type Seat } from './cell-grid.ts';

export interface Neighbour {
  position: Position;
  distanceMeters: number;
}

export interface NearbyQuery {
  lat: number;
  lng: number;
  radiusMeters: number;
  limit: number;
  /** Also everyone up to this much further away than the last of the `limit` nearest. */
  tieMeters?: number;
  /** Leaves out positions before they are counted. */
  accept?: (position: Position) => boolean;
}

export interface NearbyIndex {
  upsert(position: Position): void;
  remove(driverId: string): void;
  /** @returns nearest first, within the radius; ≤ limit, but for `tieMeters` */
  nearest(query: NearbyQuery): Neighbour[];
  readonly size: number;
}

/**
 * Two grids: a fine one that finds the ten nearest of a busy city in its first rings, and a coarse one for thin places. `ringMeters` is
 * what each further ring surely adds around any point of the middle cell: 1.5 edges, less a quarter, since H3 cells differ in size.
 */
const grids = [
  { resolution: 9, maxRings: 4, ringMeters: 225 },
  { resolution: 7, maxRings: 40, ringMeters: 1_580 },
] as const;

/** Cells kept of rings that were computed before; some 60 bytes each. */
const cachedCells = 200_000;

/**
 * Which live positions are near a point: H3 cells in memory, searched ring by ring, with exact great-circle distances.
 *
 * Cost of a search: the positions in the rings that hold the answer, not those in the radius; in a city with 100 vehicles a km² some
 * 80 distances. One GEO key in Redis instead looks at everything within the radius, on the one thread that also takes the fixes
 * (design §4: 840–1,700 searches/s of 10 among 100,000).
 */
export function createNearbyIndex(): NearbyIndex {
  const layers = grids.map((rings) => ({ rings, grid: createCellGrid(rings.resolution) }));
  /** By driver, one seat a layer. */
  const seatsOf = new Map<string, Seat[]>();
  const disks = new LRUCache<string, string[][]>({
    maxSize: cachedCells,
    sizeCalculation: (disk) => disk.reduce((cells, ring) => cells + ring.length, 0),
  });

  function upsert(position: Position): void {
    const seats = seatsOf.get(position.driverId);
    if (seats !== undefined) for (const [index, { grid }] of layers.entries()) grid.place(position, seats[index]);
    else {
      const taken = layers.map(({ grid }) => grid.place(position, undefined));
      seatsOf.set(position.driverId, taken);
    }
  }

  function remove(driverId: string): void {
    const seats = seatsOf.get(driverId);
    if (seats === undefined) return;
    for (const [index, { grid }] of layers.entries()) grid.remove(seats[index] as Seat);
    seatsOf.delete(driverId);
  }

  function diskAround(cell: string, rings: number): string[][] {
    const key = `${cell}${rings}`;
    let disk = disks.get(key);
    if (disk === undefined) {
      disk = gridDiskDistances(cell, rings);
      disks.set(key, disk);
    }
    return disk;
  }

  function nearest(query: NearbyQuery): Neighbour[] {
    const { lat, lng, radiusMeters } = query;
    let found: Neighbour[] = [];
    for (const { rings, grid } of layers) {
      found = [];
      const middle = latLngToCell(lat, lng, rings.resolution);
      const lastRing = Math.min(rings.maxRings, Math.ceil(radiusMeters / rings.ringMeters));
      // Most answers lie in the first rings; a larger disk is looked up only where they do not.
      let disk = diskAround(middle, Math.min(1, lastRing));
      for (let ring = 0; ring <= lastRing; ring += 1) {
        if (ring === disk.length) disk = diskAround(middle, ring === 2 ? 2 : lastRing);
        for (const id of disk[ring] as string[]) collect(grid.cell(id), query, found);
        const coveredMeters = ring * rings.ringMeters;
        if (coveredMeters >= radiusMeters || reachOf(found, query) <= coveredMeters) return found;
      }
    }
    return found;
  }

  return {
    upsert,
    remove,
    nearest,
    get size() {
      return seatsOf.size;
    },
  };
}

/** Keeps the nearest so far, in order. Most positions of a cell lie outside the box of those, and are not measured. */
function collect(cell: Cell | undefined, query: NearbyQuery, found: Neighbour[]): void {
  if (cell === undefined) return;
  const { lat, lng, accept } = query;
  const { coordinates, positions } = cell;
  let reachMeters = reachOf(found, query);
  let box = reachBox(lat, reachMeters);
  for (let row = 0; row < positions.length; row += 1) {
    const rowLat = coordinates[2 * row] as number;
    const rowLng = coordinates[2 * row + 1] as number;
    const lngDegrees = Math.abs(rowLng - lng);
    if (Math.abs(rowLat - lat) > box.latDegrees || Math.min(lngDegrees, 360 - lngDegrees) > box.lngDegrees) continue;
    const meters = distanceMeters(lat, lng, rowLat, rowLng);
    if (meters > reachMeters) continue;
    const position = positions[row] as Position;
    if (accept?.(position) === false) continue;
    insert(found, { position, distanceMeters: meters }, query);
    if (found.length < query.limit) continue;
    reachMeters = reachOf(found, query);
    box = reachBox(lat, reachMeters);
  }
}

/** How far away a position may be to be among the nearest. */
function reachOf(found: readonly Neighbour[], { limit, radiusMeters, tieMeters = 0 }: NearbyQuery): number {
  if (found.length < limit) return radiusMeters;
  return Math.min(radiusMeters, (found[limit - 1] as Neighbour).distanceMeters + tieMeters);
}

function insert(found: Neighbour[], neighbour: Neighbour, query: NearbyQuery): void {
  let at = found.length;
  while (at > 0 && (found[at - 1] as Neighbour).distanceMeters > neighbour.distanceMeters) at -= 1;
  found.splice(at, 0, neighbour);
  const { limit, tieMeters = 0 } = query;
  const reachMeters = reachOf(found, query);
  while (found.length > limit && (tieMeters === 0 || (found.at(-1) as Neighbour).distanceMeters > reachMeters))
    found.pop();
}
