import type { Contact, MaskedContactsReply } from '@hushryd/contracts/http/contacts';
import { maskEmail, maskPhone } from '@hushryd/outreach/people/mask-address';

/** A contact as staff see it. */
export function maskContact({ email, ...contact }: Contact): MaskedContactsReply['contacts'][number] {
  return { ...contact, phone: maskPhone(contact.phone), ...(email !== undefined && { email: maskEmail(email) }) };
}
