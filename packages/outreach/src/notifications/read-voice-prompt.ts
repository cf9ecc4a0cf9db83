import type { FieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { readAttemptId } from './notification-document.ts';
import type { NotificationStore } from './notification-store.ts';
import { openWords } from './sealed-words.ts';
import { toVoice } from './to-message.ts';

/** What a call under way is to say, for companies that ask while it lasts. @returns undefined where the attempt is not one of ours */
export type ReadVoicePrompt = (attemptId: string) => Promise<{ sayText: string; maxDigits: number } | undefined>;

/** @throws AppError `database_unavailable` */
export function createReadVoicePrompt({
  store,
  cipher,
}: {
  store: Pick<NotificationStore, 'findById'>;
  cipher: Pick<FieldCipher, 'decrypt'>;
}): ReadVoicePrompt {
  return async (attemptId) => {
    const read = readAttemptId(attemptId);
    const document = read === undefined ? null : await store.findById(read.recordId);
    if (document === null || document.channel !== 'voice') return undefined;
    const { sayText } = toVoice(openWords(cipher, document));
    return { sayText, maxDigits: 1 };
  };
}
