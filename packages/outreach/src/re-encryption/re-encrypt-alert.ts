import type { FieldCipher } from '@hushryd/platform/crypto/field-cipher';
import type { AlertDocument, AlertFact } from '../alerts/alert-document.ts';
import { ownerOf } from '../alerts/drill-person.ts';
import type { FactText } from '../alerts/fact-text.ts';
import { notePlace } from '../alerts/seal-notes.ts';
import type { ContactSeal } from '../people/contacts/contact-seal.ts';

/**
 * What of an alert an older key encrypted, under the current one: the contacts it took with it, and what people wrote.
 *
 * @returns undefined where nothing is
 * @throws AppError `internal`: a key is gone
 */
export function reEncryptAlert(
  { person: { userId }, contacts, note, closeReason, facts }: AlertDocument,
  { cipher, contactSeal }: { cipher: FieldCipher; contactSeal: ContactSeal },
): Partial<AlertDocument> | undefined {
  const contactsAnew = contacts.map((contact) => contactSeal.reEncrypt(ownerOf(userId), contact));
  const noteAnew = note && reEncryptText(note, userId, cipher);
  const reasonAnew = closeReason && reEncryptText(closeReason, userId, cipher);
  const factsAnew = facts.map((fact) => reEncryptFact(fact, userId, cipher));
  const fields: Partial<AlertDocument> = {
    ...(contactsAnew.some((contact) => contact !== undefined) && {
      contacts: contacts.map((contact, index) => contactsAnew[index] ?? contact),
    }),
    ...(noteAnew !== undefined && { note: noteAnew }),
    ...(reasonAnew !== undefined && { closeReason: reasonAnew }),
    ...(factsAnew.some((fact) => fact !== undefined) && {
      facts: facts.map((fact, index) => factsAnew[index] ?? fact),
    }),
  };
  return Object.keys(fields).length === 0 ? undefined : fields;
}

/** What was written in a fact, of an alert or of its timeline. @returns undefined where nothing is to be done */
export function reEncryptFact<Fact extends AlertFact>(
  fact: Fact,
  personId: string,
  cipher: FieldCipher,
): Fact | undefined {
  const text = fact.text && reEncryptText(fact.text, personId, cipher);
  return text && { ...fact, text };
}

/** The chain of a timeline is over the digest, so it holds. */
function reEncryptText(text: FactText, personId: string, cipher: FieldCipher): FactText | undefined {
  if (cipher.isCurrent(text.sealed)) return undefined;
  return { ...text, sealed: cipher.reEncrypt(text.sealed, notePlace(personId)) };
}
