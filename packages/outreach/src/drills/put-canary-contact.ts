import type { PutContactBody } from '@hushryd/contracts/http/contacts';
import type { ContactBook } from '../people/contacts/contact-book.ts';
import { canaryId } from './canary-person.ts';

/** Kept for stories. A contact must have a number; where the canary writes mails, nobody uses it. */
const nobodysNumber = '+15555550100';

/**
 * Puts the canary's contact where those of people are, so that it is read and opened as theirs are. Once it is there, nothing is asked.
 *
 * @throws AppError `database_unavailable`, `redis_unavailable`
 */
export function putCanaryContact({ book, to }: { book: Pick<ContactBook, 'put'>; to: string }): () => Promise<void> {
  const reach: Pick<PutContactBody, 'phone' | 'email' | 'channels'> = to.includes('@')
    ? { phone: nobodysNumber, email: to, channels: ['email'] }
    : { phone: to, channels: ['sms'] };
  let isThere = false;
  return async () => {
    if (isThere) return;
    await book.put(canaryId, 'canary', { name: 'Canary', locale: 'en', ...reach });
    isThere = true;
  };
}
