import type { FieldCipher } from '@hushryd/platform/crypto/field-cipher';
import { readAttemptId } from './notification-document.ts';
import type { NotificationStore } from './notification-store.ts';
import { openWords } from './sealed-words.ts';
import { toVoice } from './to-message.ts';

/** What a call under way is to say, for companies that ask while it lasts. @returns undefined where the attempt is not one of ours */
export type ReadVoicePrompt = (attemptId: string) => Promise<{ sayText: string; maxDigits: number } | undefined>;

/**
 * Asks one after the other. Whoever cannot look keeps nobody else from saying it.
 *
 * @throws what the first of them threw, where nobody knows
 */
export function createFirstPrompt(readers: readonly ReadVoicePrompt[]): ReadVoicePrompt {
  return async (attemptId) => {
    const failures: unknown[] = [];
    for (const read of readers) {
      try {
        const prompt = await read(attemptId);
        if (prompt !== undefined) return prompt;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return undefined;
  };
}

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
