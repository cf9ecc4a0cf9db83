import type { Position } from '@hushryd/contracts/fix';
import { gridDiskDistances, latLngToCell } from 'h3-js';
import { LRUCache } from 'lru-cache';
import { distanceMeters } from '../geo/distance.ts';

export interface Neighbour {
  position: Position;
  distanceMeters: number;
}

export interface NearbyIndex {
  upsert(position: Position): void;
  remove(driverId: string): void;
  /** @param accept leaves out positions before they are counted @returns nearest first, ≤ limit, within the radius */
  nearest(query: {
    lat: number;
    lng: number;
    radiusMeters: number;
    limit: number;
    accept?: (position: Position) => boolean;
  }): Neighbour[];
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
  const layers = grids.map((grid) => ({ grid, cells: new Map<string, Map<string, Position>>() }));
  const cellsOf = new Map<string, string[]>();
  const disks = new LRUCache<string, string[][]>({
    maxSize: cachedCells,
    sizeCalculation: (disk) => disk.flat().length,
  });

  function upsert(position: Position): void {
    const { driverId } = position;
    const before = cellsOf.get(driverId);
    const after = layers.map(({ grid }) => latLngToCell(position.lat, position.lng, grid.resolution));
    for (const [index, { cells }] of layers.entries()) {
      const cell = after[index] as string;
      if (before !== undefined && before[index] !== cell) removeFrom(cells, before[index] as string, driverId);
      let members = cells.get(cell);
      if (members === undefined) {
        members = new Map();
        cells.set(cell, members);
      }
      members.set(driverId, position);
    }
    cellsOf.set(driverId, after);
  }

  function remove(driverId: string): void {
    const before = cellsOf.get(driverId);
    if (before === undefined) return;
    for (const [index, { cells }] of layers.entries()) removeFrom(cells, before[index] as string, driverId);
    cellsOf.delete(driverId);
  }

  function rings(cell: string, count: number): string[][] {
    const key = `${cell}${count}`;
    let disk = disks.get(key);
    if (disk === undefined) {
      disk = gridDiskDistances(cell, count);
      disks.set(key, disk);
    }
    return disk;
  }

  const nearest: NearbyIndex['nearest'] = ({ lat, lng, radiusMeters, limit, accept }) => {
    let found: Neighbour[] = [];
    for (const { grid, cells } of layers) {
      found = [];
      const middle = latLngToCell(lat, lng, grid.resolution);
      const lastRing = Math.min(grid.maxRings, Math.ceil(radiusMeters / grid.ringMeters));
      // Most answers lie in the first two rings; the larger disk is looked up only where they do not.
      let disk = rings(middle, Math.min(1, lastRing));
      for (let ring = 0; ring <= lastRing; ring += 1) {
        if (ring === disk.length) disk = rings(middle, lastRing);
        for (const cell of disk[ring] as string[]) collect(cells.get(cell), { lat, lng, radiusMeters, accept }, found);
        const coveredMeters = ring * grid.ringMeters;
        if (coveredMeters >= radiusMeters) return closest(found, limit);
        if (found.length >= limit && countWithin(found, coveredMeters) >= limit) return closest(found, limit);
      }
    }
    return closest(found, limit);
  };

  return {
    upsert,
    remove,
    nearest,
    get size() {
      return cellsOf.size;
    },
  };
}

function removeFrom(cells: Map<string, Map<string, Position>>, cell: string, driverId: string): void {
  const members = cells.get(cell);
  if (members?.delete(driverId) && members.size === 0) cells.delete(cell);
}

function collect(
  members: Map<string, Position> | undefined,
  query: { lat: number; lng: number; radiusMeters: number; accept: ((position: Position) => boolean) | undefined },
  found: Neighbour[],
): void {
  if (members === undefined) return;
  for (const position of members.values()) {
    if (query.accept?.(position) === false) continue;
    const meters = distanceMeters(query.lat, query.lng, position.lat, position.lng);
    if (meters <= query.radiusMeters) found.push({ position, distanceMeters: meters });
  }
}

function countWithin(found: readonly Neighbour[], meters: number): number {
  let count = 0;
  for (const neighbour of found) if (neighbour.distanceMeters <= meters) count += 1;
  return count;
}

const closest = (found: Neighbour[], limit: number) =>
  found.sort((a, b) => a.distanceMeters - b.distanceMeters).slice(0, limit);
