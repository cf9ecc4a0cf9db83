import type { Logger } from '@hushryd/platform/logging/logger';
import { planReplay } from '../replay/plan-replay.ts';
import { readTrips } from '../replay/read-trips.ts';
import type { Backend } from './backend.ts';
import { type DriveSummary, drivePlan } from './drive-plan.ts';
import { createRiders } from './riders.ts';

/** Replay a file of recorded trips, once or until the signal fires. `tell` gets sentences for the screen. */
export async function replayTrips(input: {
  backend: Backend;
  file: string;
  speed: number;
  intervalMs: number;
  isLooped: boolean;
  signal: AbortSignal;
  log: Logger;
  tell: (sentence: string) => void;
}): Promise<void> {
  const { backend, speed, intervalMs, signal, tell } = input;
  const trips = await readTrips(input.file);
  do {
    const tripIdSuffix = `-${Math.floor(Date.now() / 1000).toString(36)}`;
    const plan = planReplay({ trips, speed, intervalMs, tripIdSuffix });
    const riders = createRiders({ backend, maxRiders: 20, log: input.log });
    tell(
      `Replaying ${countOf(plan.tripCount, 'trip')} of ${countOf(plan.drivers.length, 'driver')}: ${plan.fixCount} fixes, about ${inWords(plan.durationMs)}.`,
    );
    const summary = await drivePlan({
      plan,
      backend,
      signal,
      passengersOf: (trip) => [`rider-${trip.tripId}`.slice(0, 64)],
      onTrip: ({ tripId }) => riders.maybeWatch({ riderId: `rider-${tripId}`.slice(0, 64), tripId }),
    });
    riders.close();
    const { sentCount, pendingCount, failures } = summary;
    input.log.info({ sentCount, pendingCount, failedCount: failures.length, facts: summary.drops }, 'replay ended');
    tell(describe(summary, signal.aborted));
  } while (input.isLooped && !signal.aborted);
}

/** One line for the screen. */
export function describe(summary: DriveSummary, isStopped = false): string {
  const drops = Object.entries(summary.drops).map(([reason, count]) => `${count} ${reason}`);
  const parts = [
    `${summary.sentCount} fixes of ${countOf(summary.tripCount, 'trip')} sent`,
    `${summary.durableCount} stored for good`,
    drops.length > 0 ? `dropped: ${drops.join(', ')}` : 'none dropped',
    ...(summary.pendingCount > 0 ? [`${summary.pendingCount} not yet acknowledged`] : []),
    ...(summary.failures.length > 0
      ? [`${countOf(summary.failures.length, 'driver')} broke off (${summary.failures[0]?.reason})`]
      : []),
  ];
  return `Replay ${isStopped ? 'stopped' : 'ended'}: ${parts.join(', ')}.`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function inWords(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
