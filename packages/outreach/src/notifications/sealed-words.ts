import type { FieldCipher, FieldPlace, SealedText } from '@hushryd/platform/crypto/field-cipher';
import type { NotificationDocument } from './notification-document.ts';
import type { Words } from './to-message.ts';

type Personal = Pick<Words, 'to' | 'variables'>;

/** Address and variables of a record in one text: nothing else of it is personal. */
export function sealWords(
  cipher: Pick<FieldCipher, 'encrypt'>,
  recordId: string,
  { to, variables }: Personal,
): SealedText {
  return cipher.encrypt(JSON.stringify({ to, variables }), sealedAt(recordId));
}

/** @throws AppError `internal`: the text is of another record, was changed, or its key is not in the ring any more */
export function openWords(
  cipher: Pick<FieldCipher, 'decrypt'>,
  { _id, template, locale, sealed }: Pick<NotificationDocument, '_id' | 'template' | 'locale' | 'sealed'>,
): Words {
  const { to, variables } = JSON.parse(cipher.decrypt(sealed, sealedAt(_id))) as Personal;
  return { template, locale, variables, to };
}

/** Under the current key. @returns undefined where it is already @throws AppError `internal`: its key is not in the ring any more */
export function reEncryptWords(
  cipher: FieldCipher,
  { _id, sealed }: Pick<NotificationDocument, '_id' | 'sealed'>,
): Pick<NotificationDocument, 'sealed'> | undefined {
  return cipher.isCurrent(sealed) ? undefined : { sealed: cipher.reEncrypt(sealed, sealedAt(_id)) };
}

const sealedAt = (recordId: string): FieldPlace => ({ collection: 'notifications', id: recordId, field: 'sealed' });
