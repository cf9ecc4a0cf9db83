import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertWork } from '../alerts/change-alert.ts';
import { acknowledgeAlert } from '../alerts/handle-alert.ts';

/**
 * Acknowledge for somebody who cannot be told that it came to nothing: who pressed a key, or whose word comes late.
 *
 * @throws AppError `not_found`, `database_unavailable`
 */
export async function acknowledgeQuietly(
  work: AlertWork,
  { alertId, by }: { alertId: string; by: string },
): Promise<void> {
  try {
    await acknowledgeAlert(work, { alertId, by, authorise: () => undefined });
  } catch (error) {
    // A colleague was faster, or it is over: either way somebody takes care.
    const isTaken = error instanceof AppError && ['sos_taken', 'sos_state_conflict'].includes(error.code);
    if (!isTaken) throw error;
  }
}
