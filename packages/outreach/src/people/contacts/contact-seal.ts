import type { Contact } from '@hushryd/contracts/http/contacts';
import type { FieldCipher, FieldPlace, SealedText } from '@hushryd/platform/crypto/field-cipher';

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
  /** Under the current key; undefined where it is already. */
  reEncrypt(userId: string, sealed: SealedContact): SealedContact | undefined;
}

const sealedFields = ['name', 'phone', 'email', 'relation'] as const;

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
      const place = { collection: 'emergency_contacts', id: userId, field: `contacts.${contact.contactId}.${field}` };
      if (text !== undefined) converted[field] = convert(text, place);
    }
    return converted;
  };

  return {
    seal: (userId, contact) => each(userId, contact, cipher.encrypt),
    open: (userId, sealed) => each(userId, sealed, cipher.decrypt),
    reEncrypt(userId, sealed) {
      const isCurrent = sealedFields.every((field) => {
        const text = sealed[field];
        return text === undefined || cipher.isCurrent(text);
      });
      return isCurrent ? undefined : each(userId, sealed, cipher.reEncrypt);
    },
  };
}
