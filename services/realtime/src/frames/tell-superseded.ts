import type { Logger } from '@hushryd/platform/logging/logger';
import { lookForSilenceEveryMs, type OfferRun } from '@hushryd/tracking/runs/offer-run';
import type { Connection } from '../connections/connection.ts';
import { type DriverRun, openRun } from '../connections/driver-session.ts';

/** Called with every answer to fixes of a run that does not move the position. */
export type TellSuperseded = (connection: Connection, run: DriverRun, byRun: number) => void;

/**
 * Tell a phone that a newer run moves the driver's position: once, and once more with a run of its own to go on in when the newer one
 * has been silent for a minute.
 *
 * Cost: one position read every 10 s a superseded phone that sends.
 */
export function createTellSuperseded({
  offerRun,
  log,
  now = Date.now,
}: {
  offerRun: OfferRun;
  log: Logger;
  now?: () => number;
}): TellSuperseded {
  async function offer(connection: Connection, run: DriverRun, byRun: number): Promise<void> {
    const offered = await offerRun(connection.identity.userId);
    if (offered === undefined || run.isOfferMade) return;
    if (connection.driver === undefined || !connection.isOpen) return;
    run.isOfferMade = true;
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
    run.lookForSilenceAtMs = nowMs + lookForSilenceEveryMs;
    offer(connection, run, byRun).catch((err: unknown) => {
      log.debug({ err, driverId: connection.identity.userId }, 'no run offered, trying again');
    });
  };
}
