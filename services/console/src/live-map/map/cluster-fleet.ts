import { placeAt } from '../vehicles/glide.ts';
import { pixelsPerWorld, toLatLng } from '../vehicles/mercator.ts';
import type { Vehicle } from '../vehicles/vehicle-store.ts';
import type { SceneView } from './fleet-scene.ts';

/** Several vehicles too close to be told apart, at their common middle. */
export interface Cluster {
  lat: number;
  lng: number;
  count: number;
}

export interface ClusteredFleet {
  clusters: Cluster[];
  /** Drivers with nobody near: they are drawn as what they are. */
  lone: Set<string>;
}

/** Over so many in view symbols hide one another; a little fewer on the way back, so that the picture does not flicker. */
const clusterAbove = 2_000;
const separateBelow = 1_800;
const cellPixels = 72;

/**
 * Group what is in view where that is too much to show one by one; undefined otherwise. Cells stand still on the map while it is
 * dragged. Cost: linear in the vehicles.
 */
export function clusterFleet(input: {
  vehicles: Iterable<Vehicle>;
  view: SceneView;
  nowMs: number;
  wasClustered: boolean;
}): ClusteredFleet | undefined {
  const { view } = input;
  const cellUnits = cellPixels / pixelsPerWorld(Math.floor(view.zoom));
  const cells = new Map<string, { count: number; x: number; y: number; driverId: string }>();
  let inView = 0;

  for (const vehicle of input.vehicles) {
    const { x, y } = placeAt(vehicle.glide, input.nowMs);
    if (x < view.west || x > view.east || y < view.north || y > view.south) continue;
    inView += 1;
    const key = `${Math.floor(x / cellUnits)},${Math.floor(y / cellUnits)}`;
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, { count: 1, x, y, driverId: vehicle.position.driverId });
    else {
      cell.count += 1;
      cell.x += x;
      cell.y += y;
    }
  }
  if (inView <= (input.wasClustered ? separateBelow : clusterAbove)) return undefined;

  const all = [...cells.values()];
  return {
    lone: new Set(all.filter(({ count }) => count === 1).map(({ driverId }) => driverId)),
    clusters: all
      .filter(({ count }) => count > 1)
      .map(({ count, x, y }) => ({ ...toLatLng({ x: x / count, y: y / count }), count })),
  };
}
