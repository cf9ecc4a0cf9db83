import { channelOf } from '@hushryd/providers/provider';
import type { TakeReceipt } from '../webhooks/take-webhook.ts';
import { readAlertAttemptId } from './attempt-id.ts';
import type { DispatchStore } from './dispatch-store.ts';
import { findStoredAttempt } from './take-alert-receipt.ts';

/**
 * A person's app has shown a push about an alert.
 *
 * @returns false where there is no such push, or it went to nobody's devices but theirs
 * @throws AppError `database_unavailable`: the app may say it again
 */
export type MarkAlertSeen = (seen: { alertId: string; attemptId: string; personId: string }) => Promise<boolean>;

/** What counts as the receipt of a push: FCM sends none. Source: design §7. */
export function createMarkAlertSeen({
  store,
  takeReceipt,
  now = Date.now,
}: {
  store: Pick<DispatchStore, 'findAttempt'>;
  takeReceipt: TakeReceipt;
  now?: () => number;
}): MarkAlertSeen {
  return async ({ alertId, attemptId, personId }) => {
    // Of an alert that its node has handed over meanwhile the push names the alert as it was.
    if (readAlertAttemptId(attemptId)?.alertId !== alertId) return false;
    const known = await findStoredAttempt(store, attemptId);
    if (known === null || channelOf[known.provider] !== 'push' || known.personId !== personId) return false;
    const { provider, providerMessageId = '' } = known;
    const told = { provider, providerMessageId, attemptId, eventId: `${attemptId}:seen`, atMs: now() };
    return (await takeReceipt({ ...told, status: 'read' })) !== false;
  };
}
