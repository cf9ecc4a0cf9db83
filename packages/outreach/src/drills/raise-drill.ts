import type { SosReply } from '@hushryd/contracts/http/sos';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertStore } from '../alerts/alert-store.ts';
import { drillPersonId } from '../alerts/drill-person.ts';
import type { RaiseSos } from '../alerts/raise-sos.ts';
import type { CodeBudgets } from '../people/codes/code-budgets.ts';

/** Their contacts are woken by it, and their goodwill is not without end. */
export const drillLimits = { perHour: 3, perDay: 10 };

/**
 * Somebody tries out whom an SOS would reach: an alert in all but that it says so, pages nobody and ends by itself. Sent again with the
 * same id it is the same drill, and does not count again.
 *
 * @throws AppError `drill_limit`, `sos_not_persisted`, `database_unavailable`
 */
export function createRaiseDrill({
  raiseSos,
  store,
  budgets,
  now = Date.now,
}: {
  raiseSos: Pick<RaiseSos, 'raise'>;
  store: Pick<AlertStore, 'find'>;
  /** With `drillLimits`. */
  budgets: CodeBudgets;
  now?: () => number;
}): (order: {
  identity: Pick<Identity, 'userId' | 'role'>;
  alertId: string;
  correlationId?: string;
}) => Promise<SosReply> {
  return async ({ identity: { userId, role }, alertId, correlationId }) => {
    const at = new Date(now());
    const personId = drillPersonId({ userId, alertId });
    const known = await store.find(alertId);
    if (known?.person.userId !== personId && !(await budgets.take([`drill:${userId}`], at))) {
      throw new AppError('drill_limit', { retryAfterMs: 3_600_000 });
    }
    return raiseSos.raise({
      identity: { userId: personId, role },
      trigger: { alertId, triggeredAt: at.toISOString() },
      isTokenExpired: false,
      isDrill: true,
      via: 'https',
      ...(correlationId !== undefined && { correlationId }),
    });
  };
}
