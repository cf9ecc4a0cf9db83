import { setTimeout as sleep } from 'node:timers/promises';
import { createLimitInFlight } from '@hushryd/platform/lifecycle/limit-in-flight';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import { generateCity } from '../city/generate-city.ts';
import { createRandom } from '../city/random.ts';
import type { Backend } from './backend.ts';
import { createCar } from './car.ts';
import { createPhone, type Phone } from './phone.ts';
import { createRidePlanner } from './ride-planner.ts';
import { createRiders, type Riders } from './riders.ts';
import { type Shift, workShift } from './shift.ts';
import { createTripDesk } from './trip-desk.ts';

/** New phones a second while the fleet comes up. */
const connectsPerSecond = 100;
/** A thousand drivers that come on the road together queue here, not in the database. */
const maxRequestsInFlight = 16;

/**
 * Drive a made-up city until the signal fires. Resolves when all phones are closed.
 *
 * @param input.onRoad called once when every phone is connected
 */
export async function driveCity(input: {
  backend: Backend;
  vehicles: number;
  seed: number;
  intervalMs: number;
  signal: AbortSignal;
  log: Logger;
  onRoad: () => void;
}): Promise<void> {
  const { backend, vehicles, seed, intervalMs, signal, log } = input;
  const city = generateCity(seed);
  const limited = createLimitInFlight(maxRequestsInFlight);
  const desk = createTripDesk({ backend, signal, limited });
  const riders = createRiders({ backend, maxRiders: Math.min(40, Math.ceil(vehicles / 4)), log });
  const tripIdSuffix = Math.floor(Date.now() / 1000).toString(36);
  const onEnd = (driverId: string, why: string) => log.error({ driverId, reason: why }, 'a phone was turned away');
  let connectedCount = 0;

  const shifts = Array.from({ length: vehicles }, (_, index): Shift => {
    const random = createRandom(`${seed}/driver/${index}`);
    const planner = createRidePlanner(city, random.fork('rides'));
    const driverId = `car-${String(index + 1).padStart(4, '0')}`;
    const car = createCar({ city, random: random.fork('car'), junction: planner.someJunction() });
    const phone = createPhone({ backend, driverId, signal, limited, onEnd });
    const nextBeat = createBeat(intervalMs);
    return { car, phone, planner, random, city, desk, riders, nextBeat, signal, tripIdSuffix, log };
  });
  const begin = async (shift: Shift, index: number) => {
    try {
      await sleep((index * 1000) / connectsPerSecond, undefined, { signal });
      await shift.phone.connect();
      connectedCount += 1;
      if (connectedCount === vehicles) input.onRoad();
      await workShift(shift);
    } catch (err) {
      // Being stopped is how a shift ends.
      if (!signal.aborted) log.error({ err, driverId: shift.phone.driverId }, 'a driver went home');
    }
  };
  const count = async () => logCounts({ shifts, riders, log });
  const counting = createPeriodic({ name: 'count', everyMs: 30_000, log, run: count });
  counting.start();

  await Promise.all(shifts.map(begin));
  await counting.close();
  await desk.endAll(3000);
  await count();
  riders.close();
  await Promise.all(shifts.map(({ phone }) => phone.close()));
}

function logCounts({ shifts, riders, log }: { shifts: readonly Shift[]; riders: Riders; log: Logger }): void {
  const sum = (of: (phone: Phone) => number) => shifts.reduce((total, { phone }) => total + of(phone), 0);
  const drops = sum(({ counts }) => Object.values(counts.drops).reduce((total, count) => total + count, 0));
  const fixesSent = sum(({ counts }) => counts.sent);
  const fixesPending = sum(({ pendingCount }) => pendingCount);
  log.info({ fixesSent, fixesPending, drops, ridersReceived: riders.positionCount }, 'the fleet drives');
}

/** Each phone keeps its own beat over all that it does, so that a thousand do not speak in the same moment. */
function createBeat(intervalMs: number): () => number {
  let lastMs = 0;
  return () => {
    lastMs = Math.max(lastMs + intervalMs, Date.now());
    return lastMs;
  };
}
