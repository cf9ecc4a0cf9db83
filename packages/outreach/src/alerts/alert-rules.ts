import type { SosView } from '@hushryd/contracts/http/sos';
import type { Identity } from '@hushryd/platform/auth/claims';
import type { AlertDocument } from './alert-document.ts';
import { ownerOf } from './drill-person.ts';

/** What somebody is to an alert that they may read. */
export type AlertReader = SosView['as'];

/**
 * Whose alert it is, staff, and while it is open the person's contacts who have the app. The same rule over HTTP, for `sos:{alertId}` and
 * for jobs.
 *
 * @param contacts the person's as they are now, not as they were when the button was pressed: who was removed sees nothing more
 * @returns undefined for everybody else
 */
export function readerOf(
  identity: Pick<Identity, 'userId' | 'role'>,
  alert: Pick<AlertDocument, 'person' | 'open'>,
  contacts: readonly { userId?: string }[],
): AlertReader | undefined {
  if (isOwnAlert(identity, alert)) return 'person';
  if (mayHandleAlert(identity)) return 'staff';
  return alert.open && contacts.some(({ userId }) => userId === identity.userId) ? 'contact' : undefined;
}

/** Acknowledge, claim, note and end: staff. */
export const mayHandleAlert = ({ role }: Pick<Identity, 'role'>): boolean => role === 'operator';

/** Cancel with the PIN: only who raised it. */
export const isOwnAlert = ({ userId }: Pick<Identity, 'userId'>, { person }: Pick<AlertDocument, 'person'>): boolean =>
  ownerOf(person.userId) === userId;
