import { createDrive } from '../src/city/drive-route.ts';
import { generateCity } from '../src/city/generate-city.ts';
import { createRandom } from '../src/city/random.ts';
import { createRidePlanner } from '../src/fleet/ride-planner.ts';
import type { RecordedFix, RecordedTrip } from '../src/replay/recorded-trip.ts';

const intervalMs = 15_000;
const startMs = Date.UTC(2026, 0, 5, 8);

/** Trips through the synthetic city as a recorder in each car would have written them down: one fix every 15 s. */
export function recordCityTrips({ seed, count }: { seed: number; count: number }): RecordedTrip[] {
  const city = generateCity(seed);
  const random = createRandom(seed);
  const planner = createRidePlanner(city, random);
  return Array.from({ length: count }, (_, index) => {
    const drive = createDrive({ city, route: planner.ride(planner.someJunction()), startMs, pace: 1 });
    const fixes: RecordedFix[] = [];
    for (let offsetMs = 0, hasArrived = false; !hasArrived; offsetMs += intervalMs) {
      const motion = drive.advanceTo(startMs + offsetMs);
      fixes.push({ ...city.plane.toLatLng(motion.point), offsetMs });
      hasArrived = motion.hasArrived;
    }
    // Every third driver has a second trip.
    const driver = Math.floor((index * 3) / 4);
    return { tripId: `city-${index}`, driverId: `city-driver-${driver}`, startedAtMs: startMs + index * 1000, fixes };
  });
}
