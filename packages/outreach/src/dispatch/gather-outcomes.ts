import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { CrashAlert } from '../alerts/crash-points.ts';
import type { AlertAttemptDocument } from './alert-attempts.ts';
import type { DispatchStore } from './dispatch-store.ts';
import type { EntryChange } from './entry-change.ts';

export interface GatherOutcomes {
  /**
   * Keep what has become of an entry, together with what else comes of the same alert, in one write.
   *
   * @param options.holdMs how long it may wait for more; the least of all that wait counts. Default 50
   * @returns the alert as it is then, null where there is none
   * @throws AppError `database_unavailable` where it could not be kept in 30 s: the lease has ended, somebody else goes on
   */
  add(
    alertId: string,
    change: EntryChange,
    attempts?: readonly AlertAttemptDocument[],
    options?: { holdMs?: number },
  ): Promise<AlertDocument | null>;
  /** What was added is kept, or given up: a database that does not answer is asked no further. */
  settled(): Promise<void>;
}

/** Of what somebody's next step waits for. */
const gatherMs = 50;
/**
 * Of what only has to be known: that a provider took it while others are still being asked, or that it arrived. Vendors answer within a
 * second of one another, and a write each would make a dozen of one alert. A node that dies within it makes those attempts twice, as
 * any that dies before it writes.
 */
export const patientHoldMs = 1_000;
/** An attempt that nobody knows of is made twice: what is known is kept for as long as a database is usually away. */
const keepForMs = 30_000;
const againMs = 200;

interface Batch {
  changes: EntryChange[];
  attempts: AlertAttemptDocument[];
  /** Of `performance.now()`. */
  flushAt: number;
  timer: NodeJS.Timeout | undefined;
  flush: () => void;
  kept: Promise<AlertDocument | null>;
}

/** Memory: one batch an alert until it is kept, longer while the database is away. */
export function createGatherOutcomes({
  store,
  crashAt,
}: {
  store: Pick<DispatchStore, 'keep'>;
  crashAt: CrashAlert;
}): GatherOutcomes {
  const open = new Map<string, Batch>();
  const underWay = new Set<Promise<unknown>>();
  let isEnding = false;

  async function keep(alertId: string, { changes, attempts }: Batch): Promise<AlertDocument | null> {
    crashAt('before_outcome');
    const startedAt = performance.now();
    for (;;) {
      try {
        const alert = await store.keep(alertId, changes, attempts);
        crashAt('after_outcome');
        return alert;
      } catch (error) {
        const isAway = error instanceof AppError && error.code === 'database_unavailable';
        if (!isAway || isEnding || performance.now() - startedAt > keepForMs) throw error;
        await sleep(againMs);
      }
    }
  }

  function begin(alertId: string): Batch {
    let flush: () => void = () => undefined;
    const isDue = new Promise<void>((resolve) => {
      flush = resolve;
    });
    const batch: Batch = {
      changes: [],
      attempts: [],
      flushAt: Number.POSITIVE_INFINITY,
      timer: undefined,
      flush,
      kept: isDue.then(() => {
        open.delete(alertId);
        return keep(alertId, batch);
      }),
    };
    open.set(alertId, batch);
    const done = batch.kept.catch(() => undefined).finally(() => underWay.delete(done));
    underWay.add(done);
    return batch;
  }

  return {
    add(alertId, change, attempts = [], { holdMs = gatherMs } = {}) {
      const batch = open.get(alertId) ?? begin(alertId);
      batch.changes.push(change);
      batch.attempts.push(...attempts);
      const flushAt = performance.now() + holdMs;
      if (flushAt < batch.flushAt) {
        batch.flushAt = flushAt;
        clearTimeout(batch.timer);
        batch.timer = setTimeout(batch.flush, holdMs);
      }
      return batch.kept;
    },
    async settled() {
      isEnding = true;
      for (const { flush } of open.values()) flush();
      await Promise.all(underWay);
    },
  };
}
