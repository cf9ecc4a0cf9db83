import type { OutboxChannel, SosTrigger } from '@hushryd/contracts/http/sos';
import type { Role } from '@hushryd/platform/auth/claims';
import type { SealedContact } from '../people/contacts/contact-seal.ts';
import type { FactText } from './fact-text.ts';

/**
 * Whom an entry is for. `expand_contacts`: the contacts could not be read in time, whoever claims it reads them and adds their entries.
 * `on_call`: whoever is on call on that level when it is sent; `person`: who raised the alert. `incident`: the alert's, or one of its own for a
 * `round` that began after an acknowledgement.
 */
export type OutboxRecipient =
  | { kind: 'operators' | 'expand_contacts' | 'person' }
  | { kind: 'incident'; round?: string }
  | { kind: 'on_call'; level?: number }
  | { kind: 'contact'; contactId: string };

/** An entry of the outbox before anybody took it up. */
export interface PlannedEntry {
  /** Unique in its alert, and the same however often it is planned. */
  entryId: string;
  recipient: OutboxRecipient;
  channel: OutboxChannel;
  /** What it says, where that is not the alert itself: that somebody takes care, or that it is over. */
  purpose?: 'acknowledge' | 'resolve';
}

/**
 * One press of the button as this node accepted it: all that is needed to make the alert of it, now or after a crash. What lies in the
 * journal, in the intake stream, and what becomes a document or joins one. Plain JSON.
 */
export interface TriggerRecord {
  triggerId: string;
  userId: string;
  role: Role;
  region: string;
  /** ISO 8601, by the clock of the node that accepted it: what its answer says. */
  acceptedAt: string;
  via: 'https' | 'socket';
  isTokenExpired: boolean;
  /** Of the request that brought it. */
  correlationId?: string;
  /** Nobody is in danger; `userId` is what drill-person.ts makes. */
  isDrill?: true;
  /** As it came, but for the note. */
  trigger: Omit<SosTrigger, 'note'>;
  note?: FactText;
  outbox: PlannedEntry[];
  /** As the list had them: sealed, since they lie in journals and in the alert. */
  contacts: SealedContact[];
  /** Of the list of contacts; absent where it could not be read. */
  contactsVersion?: number;
}

/** Whether what lies in a journal or a stream is a press as far as a replay needs it. What only a later build knows of is no harm. */
export function isTriggerRecord(given: unknown): given is TriggerRecord {
  if (typeof given !== 'object' || given === null) return false;
  const { triggerId, userId, acceptedAt, trigger, outbox, contacts } = given as Partial<TriggerRecord>;
  return (
    [triggerId, userId].every((id) => typeof id === 'string' && id !== '') &&
    typeof acceptedAt === 'string' &&
    !Number.isNaN(Date.parse(acceptedAt)) &&
    typeof trigger === 'object' &&
    trigger !== null &&
    Array.isArray(outbox) &&
    Array.isArray(contacts)
  );
}

/** One person's presses of one name: ids are made by phones, and nobody may answer for somebody else's. */
export const recordKey = ({ userId, triggerId }: Pick<TriggerRecord, 'userId' | 'triggerId'>): string =>
  `${userId}:${triggerId}`;
