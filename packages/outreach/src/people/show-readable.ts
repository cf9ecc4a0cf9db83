import type { FieldCipher, FieldPlace } from '@hushryd/platform/crypto/field-cipher';
import { AppError } from '@hushryd/platform/errors/app-error';

/** What cannot be decrypted is left out. */
export type Shown<Sealed, Field extends keyof Sealed> = Omit<Sealed, Field> &
  Partial<Pick<Sealed, Field>> & { isUnreadable?: true };

/**
 * An entry of a list for whoever keeps it: where a text was encrypted with a key that is gone, or was changed, the rest is shown all the
 * same, or nobody would find the one that has to be repaired.
 *
 * @param fields those that are encrypted
 */
export function showReadable<Sealed extends object, Field extends keyof Sealed & string>(
  cipher: Pick<FieldCipher, 'decrypt'>,
  sealed: Sealed,
  { fields, placeOf }: { fields: readonly Field[]; placeOf: (field: Field) => FieldPlace },
): Shown<Sealed, Field> {
  const shown: Record<string, unknown> = { ...(sealed as Record<string, unknown>) };
  for (const field of fields) {
    const text = sealed[field];
    if (typeof text !== 'string') continue;
    try {
      shown[field] = cipher.decrypt(text, placeOf(field));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'internal') throw error;
      delete shown[field];
      shown.isUnreadable = true;
    }
  }
  return shown as Shown<Sealed, Field>;
}
