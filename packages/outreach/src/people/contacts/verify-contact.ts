import type { Contact } from '@hushryd/contracts/http/contacts';
import type { CheckCodeBody, CodeChannel } from '@hushryd/contracts/person';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { OneTimeCodes, SentCode } from '../codes/one-time-codes.ts';
import type { SafetySettings } from '../safety/safety-settings.ts';
import type { ContactBook } from './contact-book.ts';

/** What proving a contact works with. */
export interface ContactProof {
  book: Pick<ContactBook, 'get' | 'markVerified'>;
  codes: OneTimeCodes;
  safety: Pick<SafetySettings, 'read'>;
}

interface Target {
  field: 'phone' | 'email';
  value: string;
}

/**
 * Send a code to a contact, who reads it to the person: then both know that the number is right. It says who asks, by their own number
 * where that is verified: what people only call themselves could make anything of a message that we send to strangers.
 *
 * @returns to which number or email, and until when
 * @throws AppError `not_found`, `request_invalid` (no email), `code_limit`, `code_not_sent`, `database_unavailable`
 */
export async function sendContactCode(
  { book, codes, safety }: ContactProof,
  {
    userId,
    contactId,
    channel,
    correlationId,
  }: { userId: string; contactId: string; channel: CodeChannel; correlationId?: string },
): Promise<SentCode & { to: string }> {
  const contact = await book.get(userId, contactId);
  const { field, value } = targetOf(contact, channel);
  const subject = subjectOf(userId, contactId, field);
  const { phone, isPhoneVerified } = await safety.read(userId);
  const invitation = { from: isPhoneVerified && phone !== null ? phone : undefined };
  const message = { channel, to: value, locale: contact.locale, invitation, correlationId };
  const sent = await codes.send({ userId, subject, ...message });
  return { ...sent, to: value };
}

/**
 * Compare what the person was told with what was sent last to the phone, or to the email.
 *
 * @throws AppError `not_found`, `code_invalid`, `code_locked`, `code_expired`, `database_unavailable`, `redis_unavailable`
 */
export async function checkContactCode(
  { book, codes }: Omit<ContactProof, 'safety'>,
  { userId, contactId, channel, code }: { userId: string; contactId: string } & CheckCodeBody,
): Promise<Contact> {
  const target = targetOf(await book.get(userId, contactId), channel);
  const subject = subjectOf(userId, contactId, target.field);
  await codes.check({ subject, to: target.value, code });
  const contact = await book.markVerified(userId, contactId, target);
  await codes.forget(subject);
  return contact;
}

function targetOf(contact: Contact, channel: CodeChannel): Target {
  const field = channel === 'email' ? 'email' : 'phone';
  const value = contact[field];
  if (value === undefined) throw new AppError('request_invalid', { detail: 'the contact has no email' });
  return { field, value };
}

/** Ids hold no dot. */
const subjectOf = (userId: string, contactId: string, field: string): string =>
  `contact.${userId}.${contactId}.${field}`;
