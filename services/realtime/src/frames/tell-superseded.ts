import type { Logger } from '@hushryd/platform/logging/logger';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import type { Runs } from '@hushryd/tracking/runs/allot-run';
import type { Connection } from '../connections/connection.ts';
import { type DriverRun, openRun } from '../connections/driver-session.ts';

/** Called with every answer to fixes of a run that does not move the position. */
export type TellSuperseded = (connection: Connection, run: DriverRun, byRun: number) => void;

/** A driver has changed phones, not lost one, while the newer one speaks. */
const silentAfterMs = 60_000;
const lookEveryMs = 10_000;

/**
 * Tell a phone that a newer run moves the driver's position: once, and once more with a run of its own to go on in when the newer one
 * has been silent for a minute.
 *
 * Cost: one position read every 10 s a superseded phone that sends.
 */
export function createTellSuperseded({
  reader,
  runs,
  log,
  now = Date.now,
}: {
  reader: PositionReader;
  runs: Runs;
  log: Logger;
  now?: () => number;
}): TellSuperseded {
  async function offerRun(connection: Connection, run: DriverRun, byRun: number): Promise<void> {
    const driverId = connection.identity.userId;
    const position = await reader.read(driverId);
    if (position !== null && now() - position.recordedAtMs < silentAfterMs) return;
    if (run.isOfferMade || !connection.isOpen) return;
    run.isOfferMade = true;
    const offered = await runs.hello({ driverId });
    if (connection.driver === undefined || !connection.isOpen) return;
    openRun(connection.driver, offered.run, offered.durableSeq);
    connection.sendFrame({ type: 'superseded', run: run.run, byRun, offeredRun: offered.run });
  }

  return (connection, run, byRun) => {
    const nowMs = now();
    if (run.supersededBy !== byRun) {
      run.supersededBy = byRun;
      run.isOfferMade = false;
      run.lookForSilenceAtMs = nowMs;
      connection.sendFrame({ type: 'superseded', run: run.run, byRun });
    }
    if (run.isOfferMade || nowMs < run.lookForSilenceAtMs) return;
    run.lookForSilenceAtMs = nowMs + lookEveryMs;
    offerRun(connection, run, byRun).catch((err: unknown) => {
      run.isOfferMade = false;
      log.debug({ err, driverId: connection.identity.userId }, 'no run offered, trying again');
    });
  };
}
