import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { AlertDocument } from './alert-document.ts';
import { type AlertReader, isOwnAlert, mayHandleAlert, readerOf } from './alert-rules.ts';
import type { ReadOutreachList } from './record-press.ts';

type Reader = Pick<Identity, 'userId' | 'role'>;
type Read = Pick<AlertDocument, 'person' | 'open'>;

export interface AlertAccess {
  /** What this identity is to the alert; undefined where it may not read it. */
  readerOf(identity: Reader, alert: Read): Promise<AlertReader | undefined>;
  /** Is this still a contact of the person, in the words of the person's own list? */
  isContact(personId: string, contactId: string): Promise<boolean>;
}

/** A page waits that long for contacts; whoever asks for a socket has 300 ms altogether. */
const contactsWithinMs = 250;

/**
 * Who may read an alert, with the person's contacts as they are now.
 *
 * @throws AppError `access_unavailable` where nobody could say: never take that for allowed
 * Cost: nothing for the person and for staff; one Redis read for others.
 */
export function createAlertAccess({ readOutreachList }: { readOutreachList: ReadOutreachList }): AlertAccess {
  async function contactsOf(personId: string) {
    const list = await readOutreachList(personId, { withinMs: contactsWithinMs });
    if (list === undefined) throw new AppError('access_unavailable');
    return list.contacts;
  }

  return {
    async readerOf(identity, alert) {
      const isSettled = isOwnAlert(identity, alert) || mayHandleAlert(identity) || !alert.open;
      return readerOf(identity, alert, isSettled ? [] : await contactsOf(alert.person.userId));
    },
    async isContact(personId, wanted) {
      return (await contactsOf(personId)).some(({ contactId }) => contactId === wanted);
    },
  };
}
