import type { Logger } from '@hushryd/platform/logging/logger';
import { lookForSilenceEveryMs, type OfferRun } from '@hushryd/tracking/runs/offer-run';

/** What a node remembers of one run that does not move the position. */
export interface Overtaken {
  byRun: number;
  /** The run that its phone may go on in; the same in every answer, since any may be lost. */
  offeredRun: number | undefined;
  /** When to look again whether the newer run has fallen silent; epoch milliseconds. */
  lookAtMs: number;
}

/** The run to offer along with the word that `byRun` moves the position, if there is one. Never fails: the fixes are stored. */
export function createFindOffer({
  offerRun,
  log,
  now,
}: {
  offerRun: OfferRun;
  log: Logger;
  now: () => number;
}): (driverId: string, overtaken: Overtaken) => Promise<number | undefined> {
  return async (driverId, overtaken) => {
    const nowMs = now();
    if (overtaken.offeredRun !== undefined || nowMs < overtaken.lookAtMs) return overtaken.offeredRun;
    overtaken.lookAtMs = nowMs + lookForSilenceEveryMs;
    try {
      overtaken.offeredRun = (await offerRun(driverId))?.run;
    } catch (err) {
      log.debug({ err, driverId }, 'no run offered, trying again');
    }
    return overtaken.offeredRun;
  };
}
