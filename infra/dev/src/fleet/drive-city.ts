import { setTimeout as sleep } from 'node:timers/promises';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import { type City, generateCity } from '../city/generate-city.ts';
import { createRandom, type Random } from '../city/random.ts';
import type { Backend } from './backend.ts';
import { type Car, createCar } from './car.ts';
import { createPhone, type Phone } from './phone.ts';
import { createRidePlanner, plannedRoute, type RidePlanner } from './ride-planner.ts';
import { createRiders, type Riders } from './riders.ts';
import { sleepUntil } from './sleep-until.ts';
import { createTripDesk, type TripDesk } from './trip-desk.ts';

/** One driver at work. */
interface Shift {
  readonly car: Car;
  readonly phone: Phone;
  readonly planner: RidePlanner;
  readonly random: Random;
  readonly city: City;
  readonly desk: TripDesk;
  readonly riders: Riders;
  /** When the next fix is due, epoch milliseconds. */
  readonly nextBeat: () => number;
  readonly signal: AbortSignal;
  /** Makes trip ids new with every start. */
  readonly tripIdSuffix: string;
}

/** New phones a second while the fleet comes up. */
const connectsPerSecond = 100;

/**
 * Drive a made-up city until the signal fires: drivers wait and cruise, take a trip, drive it, end it, take the next. Resolves when all
 * phones are closed.
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
  const desk = createTripDesk({ backend, signal });
  const riders = createRiders({ backend, maxRiders: Math.min(40, Math.ceil(vehicles / 4)), log });
  const tripIdSuffix = Math.floor(Date.now() / 1000).toString(36);
  const onEnd = (driverId: string, why: string) => log.error({ driverId, reason: why }, 'a phone was turned away');
  let connectedCount = 0;

  const shifts = Array.from({ length: vehicles }, (_, index): Shift => {
    const random = createRandom(`${seed}/driver/${index}`);
    const planner = createRidePlanner(city, random.fork('rides'));
    const driverId = `car-${String(index + 1).padStart(4, '0')}`;
    return {
      car: createCar({ city, random: random.fork('car'), junction: planner.someJunction() }),
      phone: createPhone({ backend, driverId, signal, onEnd }),
      nextBeat: createBeat(intervalMs),
      ...{ planner, random, city, desk, riders, signal, tripIdSuffix },
    };
  });
  const begin = async (shift: Shift, index: number) => {
    await sleep((index * 1000) / connectsPerSecond, undefined, { signal });
    await shift.phone.connect();
    connectedCount += 1;
    if (connectedCount === vehicles) input.onRoad();
    await work(shift, log);
  };

  const counting = createPeriodic({
    name: 'count',
    everyMs: 30_000,
    log,
    run: async () => logCounts({ shifts, riders, log }),
  });
  counting.start();

  try {
    await Promise.allSettled(shifts.map(begin)).then((results) => throwUnexpected(results, signal));
  } finally {
    await counting.close();
    await desk.endAll(3000);
    logCounts({ shifts, riders, log });
    riders.close();
    await Promise.all(shifts.map(({ phone }) => phone.close()));
  }
}

function logCounts({ shifts, riders, log }: { shifts: readonly Shift[]; riders: Riders; log: Logger }): void {
  const sum = (of: (phone: Phone) => number) => shifts.reduce((total, { phone }) => total + of(phone), 0);
  const drops = sum(({ counts }) => Object.values(counts.drops).reduce((total, count) => total + count, 0));
  const fixesSent = sum(({ counts }) => counts.sent);
  const fixesPending = sum(({ pendingCount }) => pendingCount);
  log.info({ fixesSent, fixesPending, drops, ridersReceived: riders.positionCount }, 'the fleet drives');
}

/** Being stopped is how a shift ends; anything else is a mistake of ours. */
function throwUnexpected(results: readonly PromiseSettledResult<void>[], signal: AbortSignal): void {
  const failed = results.find((result) => result.status === 'rejected');
  if (failed && !signal.aborted) throw failed.reason;
}

/** Trip after trip. A trip that cannot be made (the API is away) is told, and the driver goes on cruising. */
async function work(shift: Shift, log: Logger): Promise<void> {
  const { random, signal, phone } = shift;
  await shift.phone.setAvailable(true);
  for (let tripNumber = 1; !signal.aborted; tripNumber += 1) {
    // At the beginning most cars are in the middle of their day.
    if (tripNumber > 1 || random.chance(0.35)) await idle(shift);
    try {
      await driveTrip(shift, tripNumber);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error, driverId: phone.driverId }, 'a trip broke off');
      await report({ shift, untilMs: Date.now() + 5000 });
    }
  }
}

/** Free: stand or drive around the block; now and then a break. */
async function idle(shift: Shift): Promise<void> {
  const { random, car, planner, phone } = shift;
  const isOnBreak = random.chance(0.12);
  if (isOnBreak) await phone.setAvailable(false);
  if (isOnBreak || random.chance(0.5)) {
    await report({ shift, untilMs: Date.now() + random.between(15_000, 60_000) });
  } else {
    car.depart(planner.cruise(car.junction), Date.now());
    await report({ shift });
  }
  if (isOnBreak) await phone.setAvailable(true);
}

async function driveTrip(shift: Shift, tripNumber: number): Promise<void> {
  const { car, planner, phone, city, desk, riders, random } = shift;
  const route = planner.ride(car.junction);
  const path = plannedRoute(city, route);
  const [origin, destination] = [path.at(0), path.at(-1)];
  if (!origin || !destination) return;
  const tripId = `${phone.driverId}-${shift.tripIdSuffix}-${tripNumber}`;
  const passengerId = `rider-${tripId}`;

  await desk.begin({
    tripId,
    reference: `R-${tripNumber}-${phone.driverId}`,
    driverId: phone.driverId,
    passengerIds: [passengerId],
    origin,
    destination,
    plannedRoute: path,
  });
  const watch = riders.maybeWatch({ riderId: passengerId, tripId });
  try {
    car.depart(route, Date.now());
    await report({ shift, tripId });
    // People need a moment to get out.
    await report({ shift, tripId, untilMs: Date.now() + random.between(4000, 12_000) });
  } finally {
    watch?.close();
  }
  await desk.end(tripId);
}

/** Send a fix on each beat of the phone: until the time given, else until the car has arrived. */
async function report(input: { shift: Shift; tripId?: string; untilMs?: number }): Promise<void> {
  const { tripId, untilMs } = input;
  const { car, phone, nextBeat, signal } = input.shift;
  for (;;) {
    const atMs = nextBeat();
    await sleepUntil(atMs, signal);
    const { reading, hasArrived } = car.read(atMs);
    phone.send(reading, tripId);
    if (untilMs === undefined ? hasArrived : atMs >= untilMs) return;
  }
}

/** Each phone keeps its own beat over all that it does, so that a thousand do not speak in the same moment. */
function createBeat(intervalMs: number): () => number {
  let lastMs = 0;
  return () => {
    lastMs = Math.max(lastMs + intervalMs, Date.now());
    return lastMs;
  };
}
