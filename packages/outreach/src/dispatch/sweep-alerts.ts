import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import { createRest } from '@hushryd/platform/lifecycle/rest';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { DispatchAlert } from './dispatch-alert.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import type { DispatchSettings } from './dispatch-settings.ts';
import type { DispatchStore } from './dispatch-store.ts';

/** Processes that begin at the same moment do not go on so. Only ever sooner than asked for. */
const jitterShare = 0.2;
const dueASweep = 200;
const agesEveryMs = 5_000;
/** Of the time, for looking what is due: an alert that is found later is sent later, so no more than three seconds are rested. */
const sweepShare = 0.25;
const longestRestMs = 3_000;
/** A figure to be watched has time. */
const agesShare = 0.02;
const longestAgesRestMs = 60_000;

/**
 * Finds whatever is due in any alert, from the alerts themselves, and does it: every worker and every api has one, without a leader, since
 * the claim decides. It is what an alert can rely on; jobs are only sooner.
 *
 * A quarter of the time at most: where the database makes it long, whoever accepts alerts comes first.
 *
 * Cost: two commands a sweep, on an index of what is due; an alert found and not yet claimed is one write.
 */
export function createAlertSweep({
  store,
  dispatch,
  settings,
  metrics,
  log,
  random = Math.random,
  monotonicMs = () => performance.now(),
}: {
  store: Pick<DispatchStore, 'findDue' | 'oldestUnackedMs'>;
  dispatch: DispatchAlert;
  settings: Pick<DispatchSettings, 'sweepMs' | 'processors'>;
  metrics: Pick<DispatchMetrics, 'swept' | 'showAges'>;
  log: Logger;
  random?: () => number;
  monotonicMs?: () => number;
}): Periodic {
  const underWay = new Set<Promise<void>>();
  const ending = new AbortController();
  /** As it was read last. Until the next time it grows by this process's clock: nobody acknowledges while the database is away. */
  let unacked = { ageMs: 0, readAt: Number.NEGATIVE_INFINITY };
  let lateMs = 0;
  const resting = createRest({ share: sweepShare, atMostMs: longestRestMs, monotonicMs });
  const agesResting = createRest({ share: agesShare, atMostMs: longestAgesRestMs, monotonicMs });

  function begin(alertId: string): void {
    const work = dispatch(alertId)
      .catch((err: unknown) => log.warn({ err, alertId }, 'an alert could not be taken up, the next sweep comes'))
      .finally(() => underWay.delete(work));
    underWay.add(work);
  }

  function showAges(): void {
    const { ageMs, readAt } = unacked;
    metrics.showAges({ unackedMs: ageMs === 0 ? 0 : ageMs + (monotonicMs() - readAt), lateMs });
  }

  async function sweep(): Promise<void> {
    const due = await resting.unlessResting(() => store.findDue(dueASweep));
    if (due === undefined) return;
    for (const { alertId } of due) {
      // Others have sweepers too; this one comes again.
      if (underWay.size >= settings.processors || ending.signal.aborted) break;
      begin(alertId);
    }
    if (due.length > 0) metrics.swept(due.length);
    lateMs = Math.max(0, due[0]?.lateMs ?? 0);
    if (monotonicMs() - unacked.readAt < agesEveryMs) return;
    const readAt = monotonicMs();
    const ageMs = await agesResting.unlessResting(() => store.oldestUnackedMs());
    if (ageMs !== undefined) unacked = { ageMs, readAt };
  }

  const run = () => sweep().finally(showAges);

  const everyMs = settings.sweepMs * (1 - jitterShare * random());
  const periodic = createPeriodic({ name: 'sweep alerts', everyMs, run, log });
  return {
    ...periodic,
    get failedCount() {
      return periodic.failedCount;
    },
    async close() {
      ending.abort();
      await periodic.close();
      await Promise.all(underWay);
    },
  };
}
