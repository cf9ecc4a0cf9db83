import { driverId, riderId, tripId } from './city.ts';
import type { DriverCounts } from './load/drivers.ts';
import type { FixSchedule } from './load/fix-schedule.ts';
import type { HttpLoadCommands, HttpLoadResult } from './load/http-load.ts';
import { monotonicMs } from './load/monotonic.ts';
import { startLoad } from './load/start-load.ts';
import { startHelper } from './processes/start-helper.ts';
import type { Scope } from './scope.ts';
import { sleepMs } from './sleep.ts';
import type { System } from './system.ts';

export interface CityRates {
  /** As many trips, which have to be started already. */
  readonly phones: number;
  readonly fixesPerSecond: number;
  readonly requestsPerSecond: number;
}

/** What the rest of the system did meanwhile. */
export interface CitySample {
  /** Acknowledged, for each second that they were due in. */
  readonly fixesPerSecond: number;
  /** Answered with an error, or that a fix was dropped: more than a full machine can be asked for. */
  readonly framesRefused: number;
  /** Longest time that a due fix waited for its phone: far more than a few milliseconds means that the machine could not carry the load. */
  readonly fixesLateMs: number;
  readonly requests: HttpLoadResult;
}

export interface CityLoad {
  /**
   * Phones and requests at work, and `work` beside them from two seconds later on.
   *
   * @throws Error where a phone was lost
   */
  beside<Result>(seconds: number, work: () => Promise<Result>): Promise<{ result: Result; city: CitySample }>;
}

const startInMs = 500;
const leadSeconds = 2;
const requestConnections = 20;
const lastAnswersWithinMs = 10_000;
const lookEveryMs = 100;

/** An ordinary hour around what is measured: phones that send fixes one by one, and people who look where their ride is. */
export async function openCityLoad({
  scope,
  system: { issuer },
  realtimePort,
  apiPort,
  phones,
  fixesPerSecond,
  requestsPerSecond,
}: CityRates & { scope: Scope; system: System; realtimePort: number; apiPort: number }): Promise<CityLoad> {
  const trips = Array.from({ length: phones }, (_, trip) => trip);
  const drivers = await startLoad(scope);
  await drivers.call('openDrivers', {
    port: realtimePort,
    drivers: trips.map((trip) => ({ driver: trip, token: issuer.token(driverId(trip), 'driver') })),
    fixesPerFrame: 1,
    framesInFlight: 4,
  });
  const http = await startHelper<HttpLoadCommands>(scope, { module: new URL('./load/http-load', import.meta.url) });
  const requests = trips.map((trip) => ({
    path: `/v1/trips/${tripId(trip)}/location`,
    headers: { authorization: `Bearer ${issuer.token(riderId(trip), 'rider')}` },
  }));

  async function allAnswered() {
    for (const untilMs = monotonicMs() + lastAnswersWithinMs; ; await sleepMs(lookEveryMs)) {
      const counts = await drivers.call('driverCounts');
      if (counts.unansweredFrames === 0 || monotonicMs() > untilMs) return counts;
    }
  }

  return {
    async beside(seconds, work) {
      const wholeSeconds = leadSeconds + seconds;
      const before = await drivers.call('driverCounts');
      const schedule: FixSchedule = {
        startAtMs: monotonicMs() + startInMs,
        fixesPerSecond,
        drivers: phones,
        fromFix: 0,
        toFix: Math.round(wholeSeconds * fixesPerSecond),
        seq: await drivers.call('nextSeq'),
      };
      await drivers.call('startSchedule', schedule);
      const asked = http.call('run', {
        url: `http://127.0.0.1:${apiPort}`,
        requests,
        connections: requestConnections,
        seconds: wholeSeconds,
        requestsPerSecond,
      });
      // Told below; until then `work` is waited for.
      asked.catch(() => undefined);
      await sleepMs(startInMs + leadSeconds * 1000);
      const result = await work();
      const answered = await asked;
      const after = await allAnswered();
      if (after.endedSockets > 0) throw new Error(`${after.endedSockets} phones were lost; last: ${after.lastError}`);
      const refused = ({ framesWithDrops, errors }: DriverCounts) => framesWithDrops + errors;
      return {
        result,
        city: {
          fixesPerSecond: (after.acknowledgedFixes - before.acknowledgedFixes) / wholeSeconds,
          framesRefused: refused(after) - refused(before),
          fixesLateMs: after.latestMs,
          requests: answered,
        },
      };
    },
  };
}
