import type { Identity } from '@hushryd/platform/auth/claims';

/**
 * How much of a person's contacts somebody sees: the person all of it, since whoever typed a number has to be able to find the mistake in
 * it before it matters; staff whom there is to reach, without numbers, since calls go through us; anybody else nothing.
 */
export function contactsView({ userId, role }: Identity, ownerId: string): 'whole' | 'masked' | 'nothing' {
  if (userId === ownerId && role !== 'operator') return 'whole';
  return role === 'operator' ? 'masked' : 'nothing';
}

/** A forgotten PIN, or one that was guessed at too often, is a matter for staff: whoever guesses may hold the person's phone. */
export const mayRemovePins = ({ role }: Identity): boolean => role === 'operator';

/** Who is called in the night is staff's to say, and theirs alone to see. */
export const mayManageOnCall = ({ role }: Identity): boolean => role === 'operator';
