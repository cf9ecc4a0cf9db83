import { placeAt } from '../vehicles/glide.ts';
import { pixelsPerWorld, type WorldPoint } from '../vehicles/mercator.ts';
import type { Vehicle } from '../vehicles/vehicle-store.ts';

/** Fingers and impatient mice: a symbol may be missed by this much. WCAG 2.2 asks for targets of 24 px. */
const reachPixels = 14;

/** The vehicle drawn nearest to a point of the world, if it is near enough. Cost: one place a vehicle. */
export function pickVehicle(input: {
  vehicles: Iterable<Vehicle>;
  at: WorldPoint;
  zoom: number;
  nowMs: number;
}): Vehicle | undefined {
  let nearest: Vehicle | undefined;
  let nearestUnits = reachPixels / pixelsPerWorld(input.zoom);
  for (const vehicle of input.vehicles) {
    const place = placeAt(vehicle.glide, input.nowMs);
    const units = Math.hypot(place.x - input.at.x, place.y - input.at.y);
    if (units > nearestUnits) continue;
    nearest = vehicle;
    nearestUnits = units;
  }
  return nearest;
}
