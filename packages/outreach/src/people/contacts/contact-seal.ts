import type { Contact, ListedContact } from '@hushryd/contracts/http/contacts';
import type { FieldCipher, FieldPlace, SealedText } from '@hushryd/platform/crypto/field-cipher';
import { showReadable } from '../show-readable.ts';

/** A contact as it is stored, cached and copied into an alert: what says who it is, is encrypted. */
export type SealedContact = Omit<Contact, 'name' | 'phone' | 'email' | 'relation'> & {
  name: SealedText;
  phone: SealedText;
  email?: SealedText;
  relation?: SealedText;
};

export interface ContactSeal {
  seal(userId: string, contact: Contact): SealedContact;
  /** @param userId whose contact it is @throws AppError `internal`: somebody else's, tampered with, or the key is gone */
  open(userId: string, sealed: SealedContact): Contact;
  /** As much of it as can be read. */
  show(userId: string, sealed: SealedContact): ListedContact;
  /** Under the current key; undefined where it is already. */
  reEncrypt(userId: string, sealed: SealedContact): SealedContact | undefined;
}

const sealedFields = ['name', 'phone', 'email', 'relation'] as const;

const placeOf = (userId: string, contactId: string, field: string): FieldPlace => ({
  collection: 'emergency_contacts',
  id: userId,
  field: `contacts.${contactId}.${field}`,
});

/** Encrypts what is private of emergency contacts, each field for its owner, contact and name. */
export function createContactSeal(cipher: FieldCipher): ContactSeal {
  const each = <From extends Contact | SealedContact>(
    userId: string,
    contact: From,
    convert: (text: string, place: FieldPlace) => string,
  ): From => {
    const converted = { ...contact };
    for (const field of sealedFields) {
      const text = contact[field];
      if (text !== undefined) converted[field] = convert(text, placeOf(userId, contact.contactId, field));
    }
    return converted;
  };

  return {
    seal: (userId, contact) => each(userId, contact, cipher.encrypt),
    open: (userId, sealed) => each(userId, sealed, cipher.decrypt),
    show: (userId, sealed) =>
      showReadable(cipher, sealed, {
        fields: sealedFields,
        placeOf: (field) => placeOf(userId, sealed.contactId, field),
      }),
    reEncrypt(userId, sealed) {
      const isCurrent = sealedFields.every((field) => {
        const text = sealed[field];
        return text === undefined || cipher.isCurrent(text);
      });
      return isCurrent ? undefined : each(userId, sealed, cipher.reEncrypt);
    },
  };
}
