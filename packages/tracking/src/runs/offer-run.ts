import type { PositionReader } from '../positions/read-position.ts';
import type { Hello, Runs } from './allot-run.ts';

/** A phone whose run was overtaken is looked after no more often than this. */
export const lookForSilenceEveryMs = 10_000;

/** A driver has changed phones, not lost one, while the newer one speaks. */
const silentAfterMs = 60_000;

/** @returns a run in which an overtaken phone of this driver may move the position again; undefined while the newer one speaks */
export type OfferRun = (driverId: string) => Promise<Hello | undefined>;

/**
 * Offers a run of its own to a phone that was overtaken by one that has been silent for a minute. Each call may allot one: whoever asks
 * keeps the answer.
 *
 * @throws AppError `redis_unavailable`
 * Cost: one position read; one EVALSHA where a run is offered. Source: design §4 "Run and seq".
 */
export function createOfferRun({
  reader,
  runs,
  now = Date.now,
}: {
  reader: Pick<PositionReader, 'read'>;
  runs: Pick<Runs, 'hello'>;
  now?: () => number;
}): OfferRun {
  return async (driverId) => {
    const position = await reader.read(driverId);
    if (position !== null && now() - position.recordedAtMs < silentAfterMs) return undefined;
    return runs.hello({ driverId });
  };
}
