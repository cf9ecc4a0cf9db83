import { AppError } from '@hushryd/platform/errors/app-error';
import { mongoOutcome } from '@hushryd/platform/mongo/deadline';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertStore } from '../alerts/alert-store.ts';
import { headOf } from './read-timeline.ts';
import type { TimelineSealer } from './seal-timelines.ts';
import type { TimelineHead } from './timeline-head.ts';

/**
 * Until the facts of an alert are sealed up to a number: seals them here, whatever the worker does.
 *
 * @returns the head, at `seq` or behind it
 * @throws AppError `timeline_not_sealed` where that cannot be had in time
 */
export async function awaitSeal(
  { sealer, store }: { sealer: Pick<TimelineSealer, 'sealAlert'>; store: Pick<AlertStore, 'find'> },
  { alertId, seq, withinMs }: { alertId: string; seq: number; withinMs: number },
): Promise<TimelineHead> {
  const endMs = performance.now() + withinMs;
  let cause: unknown;
  do {
    try {
      await sealer.sealAlert(alertId);
      const alert: AlertDocument | null = await store.find(alertId);
      if (alert !== null && headOf(alert).seq >= seq) return headOf(alert);
      cause = undefined;
    } catch (error) {
      if (mongoOutcome(error) === 'answered') throw error;
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  } while (performance.now() < endMs);
  throw new AppError('timeline_not_sealed', { cause });
}
