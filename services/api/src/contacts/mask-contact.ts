import type { ListedContact, MaskedContactsReply } from '@hushryd/contracts/http/contacts';
import { maskEmail, maskPhone } from '@hushryd/outreach/people/mask-address';

/** A contact as staff see it. */
export function maskContact({ phone, email, ...contact }: ListedContact): MaskedContactsReply['contacts'][number] {
  return {
    ...contact,
    ...(phone !== undefined && { phone: maskPhone(phone) }),
    ...(email !== undefined && { email: maskEmail(email) }),
  };
}
