import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertDocument } from '../alerts/alert-document.ts';
import type { AlertWork } from '../alerts/change-alert.ts';
import { acknowledgeAlert } from '../alerts/handle-alert.ts';

/**
 * Acknowledge for somebody who cannot be told that it came to nothing: who pressed a key, or whose word comes late.
 *
 * @returns the alert as it is then; undefined where somebody takes care already
 * @throws AppError `not_found`, `database_unavailable`
 */
export async function acknowledgeQuietly(
  work: AlertWork,
  order: { alertId: string; by: string; atMs?: number },
): Promise<AlertDocument | undefined> {
  try {
    return await acknowledgeAlert(work, { ...order, authorise: () => undefined });
  } catch (error) {
    // A colleague was faster, or it is over: either way somebody takes care.
    const isTaken = error instanceof AppError && ['sos_taken', 'sos_state_conflict'].includes(error.code);
    if (!isTaken) throw error;
    return undefined;
  }
}
