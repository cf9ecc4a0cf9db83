import { setTimeout as sleep } from 'node:timers/promises';
import type { LocationReply } from '@hushryd/contracts/http/trips';
import type { HttpClient } from '@hushryd/sdk/http/http-client';
import { type ChosenRider, chooseRiders } from './choose-rider.ts';

/** There is nobody who could press. */
export class NobodyRidesError extends Error {
  override readonly name = 'NobodyRidesError';
}

export interface FoundRider {
  rider: ChosenRider;
  position: NonNullable<LocationReply['location']>;
}

/** Of the newest trips, some have not said where they are. */
const triesOfRiders = 25;

/**
 * Somebody whose vehicle has been heard: a press without a place shows little. In a system that has just started that takes a while: the
 * first car needs some seconds to find a passenger, and up to a reporting interval to say where it is (measured: 17 s). Whoever pressed the
 * button does not know that, so it is waited for.
 *
 * @throws NobodyRidesError, HttpProblem
 */
export async function findRider({
  operator,
  signal,
  waitMs = 30_000,
  everyMs = 500,
}: {
  operator: Pick<HttpClient, 'listTrips' | 'listAlerts' | 'getTripLocation'>;
  signal: AbortSignal;
  waitMs?: number;
  everyMs?: number;
}): Promise<FoundRider> {
  const untilMs = performance.now() + waitMs;
  for (;;) {
    const found = await lookForRider(operator);
    if (found !== undefined) return found;
    if (signal.aborted || performance.now() >= untilMs) {
      throw new NobodyRidesError('No rider is on a running trip at the moment: try again when cars carry somebody.');
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function lookForRider(
  operator: Pick<HttpClient, 'listTrips' | 'listAlerts' | 'getTripLocation'>,
): Promise<FoundRider | undefined> {
  const [{ trips }, { alerts }] = await Promise.all([
    operator.listTrips({ state: 'active', limit: 100 }),
    operator.listAlerts({ limit: 100 }),
  ]);
  const open = alerts.filter(({ state }) => state === 'open' || state === 'acknowledged');
  for (const rider of chooseRiders(trips, open).slice(0, triesOfRiders)) {
    const answer = await operator.getTripLocation(rider.trip.tripId);
    if (answer.isModified && answer.location !== null) return { rider, position: answer.location };
  }
  return undefined;
}
