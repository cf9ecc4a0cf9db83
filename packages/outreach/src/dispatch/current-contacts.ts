import type { AlertDocument } from '../alerts/alert-document.ts';
import { ownerOf } from '../alerts/drill-person.ts';
import type { SealedContact } from '../people/contacts/contact-seal.ts';
import type { OutreachLists } from '../people/contacts/outreach-lists.ts';

/** The contacts whom an alert may be sent to now. Never throws. */
export type CurrentContacts = (
  alert: Pick<AlertDocument, 'person' | 'contacts' | 'contactsVersion'>,
) => Promise<readonly SealedContact[]>;

const withinMs = 1_000;

/**
 * A contact that was removed after the alert took its snapshot is not written to. Where MongoDB does not say whether any was, the snapshot
 * holds: somebody has to be told.
 */
export function createCurrentContacts(
  lists: Pick<OutreachLists, 'currentVersion' | 'readOutreachList'>,
): CurrentContacts {
  return async ({ person, contacts, contactsVersion }) => {
    const userId = ownerOf(person.userId);
    try {
      if ((await lists.currentVersion(userId, withinMs)) === contactsVersion) return contacts;
      const read = await lists.readOutreachList(userId, { withinMs });
      return 'found' in read ? read.found.contacts : contacts;
    } catch {
      return contacts;
    }
  };
}
