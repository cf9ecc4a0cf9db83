import type { FieldCipher, FieldPlace } from '@hushryd/platform/crypto/field-cipher';
import type { NoteSealer } from './note-sealer.ts';

/** Seals what people write about alerts, bound to the person whom they are about. */
export function createNoteSealer(cipher: Pick<FieldCipher, 'encrypt' | 'decrypt'>): NoteSealer {
  return {
    seal: (text, { personId }) => cipher.encrypt(text, notePlace(personId)),
    open: (sealed, { personId }) => cipher.decrypt(sealed, notePlace(personId)),
  };
}

export const notePlace = (personId: string): FieldPlace => ({ collection: 'alerts', id: personId, field: 'text' });
