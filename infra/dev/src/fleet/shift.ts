import type { Logger } from '@hushryd/platform/logging/logger';
import type { City } from '../city/generate-city.ts';
import type { Random } from '../city/random.ts';
import type { Car } from './car.ts';
import type { Phone } from './phone.ts';
import { plannedRoute, type RidePlanner } from './ride-planner.ts';
import type { Riders } from './riders.ts';
import { sleepUntil } from './sleep-until.ts';
import type { TripDesk } from './trip-desk.ts';

/** One driver at work. */
export interface Shift {
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
  readonly log: Logger;
}

/**
 * Wait, cruise, take a trip, drive it, end it, take the next, until the signal fires. What cannot be done (the API is away) is told, and the
 * driver goes on; his phone reports all the while.
 */
export async function workShift(shift: Shift): Promise<void> {
  const { random, signal, phone, log } = shift;
  let isOpen = false;
  for (let tripNumber = 1; !signal.aborted; tripNumber += 1) {
    try {
      if (!isOpen) await reportDuring(shift, phone.setAvailable(true));
      isOpen = true;
      // At the beginning most drivers are in the middle of their day.
      if (tripNumber > 1 || random.chance(0.35)) await idle(shift);
      await driveTrip(shift, tripNumber);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error, driverId: phone.driverId }, 'a trip broke off');
      await report(shift, { until: after(5000) });
    }
  }
}

/** Free: stand or drive around the block; now and then a break. */
async function idle(shift: Shift): Promise<void> {
  const { random, car, planner, phone } = shift;
  const isOnBreak = random.chance(0.12);
  if (isOnBreak) await reportDuring(shift, phone.setAvailable(false));
  if (isOnBreak || random.chance(0.5)) {
    await report(shift, { until: after(random.between(15_000, 60_000)) });
  } else {
    car.depart(planner.cruise(car.junction), Date.now());
    await report(shift, { until: arrival });
  }
  if (isOnBreak) await reportDuring(shift, phone.setAvailable(true));
}

async function driveTrip(shift: Shift, tripNumber: number): Promise<void> {
  const { car, planner, phone, city, desk, riders, random } = shift;
  const route = planner.ride(car.junction);
  const path = plannedRoute(city, route);
  const [origin, destination] = [path.at(0), path.at(-1)];
  if (!origin || !destination) return;
  const tripId = `${phone.driverId}-${shift.tripIdSuffix}-${tripNumber}`;
  const passengerId = `rider-${tripId}`;

  const order = { tripId, driverId: phone.driverId, passengerIds: [passengerId], origin, destination };
  const reference = `R-${tripNumber}-${phone.driverId}`;
  await reportDuring(shift, desk.begin({ ...order, reference, plannedRoute: path }));
  const watch = riders.maybeWatch({ riderId: passengerId, tripId });
  try {
    car.depart(route, Date.now());
    await report(shift, { tripId, until: arrival });
    // People need a moment to get out.
    await report(shift, { tripId, until: after(random.between(4000, 12_000)) });
    await reportDuring(shift, desk.end(tripId));
  } finally {
    watch?.close();
  }
}

/** Whether a driver has done long enough what he does. */
type Until = (now: { atMs: number; hasArrived: boolean }) => boolean;

const arrival: Until = ({ hasArrived }) => hasArrived;

function after(durationMs: number): Until {
  const untilMs = Date.now() + durationMs;
  return ({ atMs }) => atMs >= untilMs;
}

/** However long a request takes, the driver stays on the map. @throws what the request throws */
async function reportDuring<T>(shift: Shift, request: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  request.then(settle, settle);
  await report(shift, { until: () => isSettled });
  return request;
}

/** Send a fix on each beat of the phone. */
async function report(shift: Shift, { tripId, until }: { tripId?: string; until: Until }): Promise<void> {
  const { car, phone, nextBeat, signal } = shift;
  for (;;) {
    const atMs = nextBeat();
    await sleepUntil(atMs, signal);
    const { reading, hasArrived } = car.read(atMs);
    phone.send(reading, tripId);
    if (until({ atMs, hasArrived })) return;
  }
}
