import type { FieldCipher, FieldPlace } from '@hushryd/platform/crypto/field-cipher';
import type { SafetyStore } from './safety-store.ts';

/** A person's own number, where a code has shown that it is theirs. @throws AppError `database_unavailable` */
export type ReadOwnPhone = (userId: string) => Promise<{ phone: string; locale: string } | undefined>;

const withinMs = 1_000;

export const ownPhonePlace = (userId: string): FieldPlace => ({
  collection: 'safety_settings',
  id: userId,
  field: 'phone',
});

export function createReadOwnPhone({
  store,
  cipher,
}: {
  store: Pick<SafetyStore, 'find'>;
  cipher: Pick<FieldCipher, 'decrypt'>;
}): ReadOwnPhone {
  return async (userId) => {
    const document = await store.find(userId, withinMs);
    if (document?.phone === undefined || !document.isPhoneVerified) return undefined;
    return { phone: cipher.decrypt(document.phone, ownPhonePlace(userId)), locale: document.locale };
  };
}
