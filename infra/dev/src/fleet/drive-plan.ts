import { setMaxListeners } from 'node:events';
import type { FixDrop } from '@hushryd/sdk/driver-client';
import type { DrivingPlan, PlannedDriver, PlannedFix, PlannedTrip } from '../replay/plan-replay.ts';
import type { Backend } from './backend.ts';
import { createPhone, type Phone } from './phone.ts';
import { forEachLimited, sleepUntil } from './sleep-until.ts';
import { createTripDesk, type TripDesk } from './trip-desk.ts';

/** What became of a plan. `sentCount` = `durableCount` + all drops + `pendingCount`. */
export interface DriveSummary {
  readonly tripCount: number;
  readonly sentCount: number;
  /** Acknowledged as stored for good. */
  readonly durableCount: number;
  /** Dropped for good, by reason. */
  readonly drops: Partial<Record<FixDrop['reason'], number>>;
  /** Still without an answer when the wait was over. */
  readonly pendingCount: number;
  /** Drivers whose plan broke off, with the reason. */
  readonly failures: readonly { readonly driverId: string; readonly reason: string }[];
  /** Wall time of the plan's moment 0: fix times are this + `atMs`. */
  readonly startedAtMs: number;
}

export type OnTrip = (trip: PlannedTrip) => Watch | undefined | Promise<Watch | undefined>;

interface Watch {
  close(): void;
}

/**
 * Drive a plan against a running system: one phone a driver, trips made, started and ended over the HTTP API, every fix stamped with its
 * scheduled wall time, however late it is sent. Resolves when all is driven and every fix is durable or dropped.
 *
 * @param input.signal ends the drive early; open trips are ended, the summary says how far it came
 * @param input.onStart called when all phones are connected and the clock of the plan starts
 * @param input.onTrip called when a trip has started, its first fix waits for it; what it gives is closed when the trip has ended
 * @param input.durableWithinMs longest wait for the last acknowledgements
 */
export async function drivePlan(input: {
  plan: DrivingPlan;
  backend: Backend;
  signal?: AbortSignal;
  passengersOf?: (trip: PlannedTrip) => readonly string[];
  onStart?: (startedAtMs: number) => void;
  onTrip?: OnTrip;
  durableWithinMs?: number;
}): Promise<DriveSummary> {
  const { plan, backend, durableWithinMs = 120_000 } = input;
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, ...(input.signal ? [input.signal] : [])]);
  // Every phone's every wait listens to it.
  setMaxListeners(0, signal);
  const failures = new Map<string, string>();
  const desk = createTripDesk({ backend, signal });
  const onEnd = (driverId: string, why: string) => void failures.set(driverId, why);
  const phones = new Map(
    plan.drivers.map(({ driverId, trips }) => {
      // A replay may be faster than the store: the phone keeps all that it has.
      const maxKeptFixes = trips.reduce((sum, trip) => sum + trip.fixes.length, 0);
      return [driverId, createPhone({ backend, driverId, signal, maxKeptFixes, onEnd })];
    }),
  );

  let startedAtMs = 0;
  try {
    await connectAll([...phones.values()]);
    startedAtMs = Date.now() + leadMs + settleMs;
    input.onStart?.(startedAtMs);
    const drive = async (driver: PlannedDriver) => {
      const phone = phones.get(driver.driverId);
      if (!phone) return;
      try {
        await driveTrips({ ...input, driver, phone, desk, startedAtMs, signal });
      } catch (error) {
        // Being stopped is no failure.
        if (!signal.aborted) failures.set(driver.driverId, error instanceof Error ? error.message : String(error));
      }
    };
    await Promise.all(plan.drivers.map(drive));
    const waiting = AbortSignal.any([signal, AbortSignal.timeout(durableWithinMs)]);
    setMaxListeners(0, waiting);
    // What is still open when the time is over is counted, not thrown.
    await Promise.allSettled([...phones.values()].map((phone) => phone.whenDurable(waiting)));
  } finally {
    await desk.endAll(3000);
    stopping.abort();
    await Promise.all([...phones.values()].map((phone) => phone.close()));
  }
  return summarise({ plan, phones: [...phones.values()], failures, startedAtMs });
}

/** A trip starts this long before its first fix, so that every node knows it by then. */
const leadMs = 1500;
const settleMs = 300;
/** A phone without a connection does not keep its trip from ending. */
const receivedWithinMs = 3000;

async function connectAll(phones: readonly Phone[]): Promise<void> {
  await forEachLimited(phones, 25, async (phone) => {
    await phone.connect();
    await phone.setAvailable(true);
  });
}

async function driveTrips(input: {
  driver: PlannedDriver;
  phone: Phone;
  desk: TripDesk;
  startedAtMs: number;
  signal: AbortSignal;
  passengersOf?: (trip: PlannedTrip) => readonly string[];
  onTrip?: OnTrip;
}): Promise<void> {
  const { driver, phone, desk, startedAtMs, signal, passengersOf = () => [] } = input;
  for (const trip of driver.trips) {
    const { fixes, ...order } = trip;
    await sleepUntil(startedAtMs + (fixes[0]?.atMs ?? 0) - leadMs, signal);
    await desk.begin({ ...order, driverId: driver.driverId, passengerIds: passengersOf(trip) });
    const watch = await input.onTrip?.(trip);
    try {
      for (const fix of fixes) {
        await sleepUntil(startedAtMs + fix.atMs, signal);
        phone.send(toReading(fix, startedAtMs), trip.tripId);
      }
      // Passengers may watch until the end of the trip: its last fix has to come before.
      await phone.whenReceived(AbortSignal.any([signal, AbortSignal.timeout(receivedWithinMs)]));
      await desk.end(trip.tripId);
    } finally {
      watch?.close();
    }
  }
  await phone.setAvailable(false);
}

function toReading({ atMs, ...place }: PlannedFix, startedAtMs: number) {
  return { ...place, recordedAtMs: startedAtMs + atMs };
}

function summarise(input: {
  plan: DrivingPlan;
  phones: readonly Phone[];
  failures: ReadonlyMap<string, string>;
  startedAtMs: number;
}): DriveSummary {
  const drops: Partial<Record<FixDrop['reason'], number>> = {};
  let [sentCount, pendingCount, dropCount] = [0, 0, 0];
  for (const { counts, pendingCount: pending } of input.phones) {
    sentCount += counts.sent;
    pendingCount += pending;
    for (const [reason, count] of Object.entries(counts.drops) as [FixDrop['reason'], number][]) {
      drops[reason] = (drops[reason] ?? 0) + count;
      dropCount += count;
    }
  }
  return {
    tripCount: input.plan.tripCount,
    sentCount,
    durableCount: sentCount - pendingCount - dropCount,
    drops,
    pendingCount,
    failures: [...input.failures].map(([driverId, reason]) => ({ driverId, reason })),
    startedAtMs: input.startedAtMs,
  };
}
