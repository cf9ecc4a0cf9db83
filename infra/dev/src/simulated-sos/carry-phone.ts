import { setTimeout as sleep } from 'node:timers/promises';
import type { LatLng } from '@hushryd/contracts/geo';
import type { HttpClient } from '@hushryd/sdk/http/http-client';
import { HttpProblem } from '@hushryd/sdk/http/http-problem';

const everyMs = 3_000;
/** Who forgets about an alert is not followed for ever. */
const untilMs = 60 * 60_000;
/** A rider sits beside or behind the driver, and each phone has a mind of its own: so far apart are the two, in degrees. */
const driftDegrees = 0.00008;

/**
 * The phone of somebody who pressed SOS: it says where it is until the alert has ended. It goes with the vehicle, and stays where that trip
 * ended. Never throws: what is not heard once is said again three seconds later.
 */
export async function carryPhone({
  rider,
  alertId,
  tripId,
  place,
  signal,
  now = Date.now,
}: {
  rider: Pick<HttpClient, 'getTripLocation' | 'postSosFixes'>;
  alertId: string;
  tripId: string;
  /** Where it begins. */
  place: LatLng;
  signal: AbortSignal;
  now?: () => number;
}): Promise<void> {
  const run = now();
  let last = place;
  for (let seq = 1; now() < run + untilMs && !signal.aborted; seq += 1) {
    last = await whereIsVehicle(rider, tripId).catch(() => last);
    const lat = last.lat + driftDegrees * Math.sin(seq / 5);
    const lng = last.lng + driftDegrees * Math.cos(seq / 7);
    try {
      const fix = { seq, recordedAtMs: now(), lat, lng, accuracyMeters: 12 };
      await rider.postSosFixes(alertId, { run, fixes: [fix] });
    } catch (error) {
      if (isOver(error)) return;
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** @throws Error where nobody knows, as when the trip has ended and its riders see it no more */
async function whereIsVehicle(rider: Pick<HttpClient, 'getTripLocation'>, tripId: string): Promise<LatLng> {
  const answer = await rider.getTripLocation(tripId);
  if (!answer.isModified || answer.location === null) throw new Error('no position');
  return answer.location;
}

const isOver = (error: unknown): boolean =>
  error instanceof HttpProblem && (error.code === 'sos_state_conflict' || error.code === 'not_found');
