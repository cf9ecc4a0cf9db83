import { type Contact, type ListedContact, maxContacts, type PutContactBody } from '@hushryd/contracts/http/contacts';
import { AppError } from '@hushryd/platform/errors/app-error';
import { type CopyKeeper, changeVersioned, type Decide } from '../versioned/change-versioned.ts';
import type { ContactSeal, SealedContact } from './contact-seal.ts';
import type { ContactStore, ContactsDocument } from './contact-store.ts';

export interface ContactBook {
  /** Those that cannot be decrypted are marked. */
  list(userId: string): Promise<{ version: number; contacts: ListedContact[] }>;
  /** @throws AppError `not_found`; `internal` where it cannot be decrypted */
  get(userId: string, contactId: string): Promise<Contact>;
  /**
   * Add a contact under the caller's id, or replace it. A number or email that is no longer the verified one is not verified any more.
   * One that could not be decrypted can be after this.
   * @throws AppError `contact_limit`, `request_invalid` (a channel without what it needs)
   */
  put(userId: string, contactId: string, fields: PutContactBody): Promise<{ contact: Contact; isNew: boolean }>;
  /** A contact that is not there is as gone as it should be. */
  remove(userId: string, contactId: string): Promise<void>;
  /**
   * Somebody read a code that was sent to this number or email.
   * @throws AppError `not_found`; `code_expired` where it is another one by now
   */
  markVerified(userId: string, contactId: string, proof: { field: 'phone' | 'email'; value: string }): Promise<Contact>;
}

export interface ContactWork {
  store: ContactStore;
  seal: ContactSeal;
  /** `createOutreachLists`: a change ends when no alert can read the contacts from before it. */
  copies: CopyKeeper;
  now?: () => number;
}

/**
 * A person's emergency contacts, at most eight, encrypted at rest.
 *
 * @throws AppError `database_unavailable`, `redis_unavailable` (see change-versioned.ts); the same may be asked again
 */
export function createContactBook({ store, seal, copies, now }: ContactWork): ContactBook {
  /** Of the others none is opened: whether they can be is no matter. */
  const openOne = (document: ContactsDocument | null, userId: string, contactId: string): Contact =>
    seal.open(userId, findIn(document?.contacts ?? [], contactId));

  const change = (userId: string, decide: Decide<ContactsDocument>): Promise<ContactsDocument | null> =>
    changeVersioned({ store, copies, id: userId, decide, now });

  return {
    async list(userId) {
      const document = await store.find(userId);
      return {
        version: document?.version ?? 0,
        contacts: document?.contacts.map((one) => seal.show(userId, one)) ?? [],
      };
    },

    async get(userId, contactId) {
      return openOne(await store.find(userId), userId, contactId);
    },

    async put(userId, contactId, fields) {
      checkChannels(fields);
      let isNew = false;
      const changed = await change(userId, (document) => {
        const stored = document?.contacts ?? [];
        const sealed = stored.find((contact) => contact.contactId === contactId);
        const shown = sealed && seal.show(userId, sealed);
        const previous = isReadable(shown) ? shown : undefined;
        const contact = { contactId, ...fields, ...keptProofs(fields, previous) };
        if (previous !== undefined && isSame(previous, contact)) return undefined;
        isNew = sealed === undefined;
        if (isNew && stored.length >= maxContacts) throw new AppError('contact_limit');
        const next = seal.seal(userId, contact);
        return { contacts: sealed ? stored.map((one) => (one === sealed ? next : one)) : [...stored, next] };
      });
      return { contact: openOne(changed, userId, contactId), isNew };
    },

    async remove(userId, contactId) {
      await change(userId, (document) => {
        const rest = document?.contacts.filter((contact) => contact.contactId !== contactId);
        return rest === undefined || rest.length === document?.contacts.length ? undefined : { contacts: rest };
      });
    },

    async markVerified(userId, contactId, { field, value }) {
      const flag = field === 'phone' ? 'isPhoneVerified' : 'isEmailVerified';
      const changed = await change(userId, (document) => {
        const opened = openOne(document, userId, contactId);
        if (opened[field] !== value) throw new AppError('code_expired');
        if (opened[flag]) return undefined;
        const mark = (one: ContactsDocument['contacts'][number]) =>
          one.contactId === contactId ? { ...one, [flag]: true } : one;
        return { contacts: document?.contacts.map(mark) ?? [] };
      });
      return openOne(changed, userId, contactId);
    },
  };
}

function checkChannels({ channels, email, userId }: PutContactBody): void {
  if (channels.includes('email') && email === undefined) {
    throw new AppError('request_invalid', { detail: 'the channel email wants an email' });
  }
  if ((channels.includes('app') || channels.includes('push')) && userId === undefined) {
    throw new AppError('request_invalid', { detail: 'the channels app and push want a userId' });
  }
}

function keptProofs({ phone, email }: PutContactBody, previous: Contact | undefined) {
  return {
    isPhoneVerified: previous?.phone === phone && previous.isPhoneVerified,
    isEmailVerified: email !== undefined && previous?.email === email && previous.isEmailVerified,
  };
}

const isReadable = (contact: ListedContact | undefined): contact is Contact =>
  contact !== undefined && !contact.isUnreadable;

function findIn(contacts: readonly SealedContact[], contactId: string): SealedContact {
  const contact = contacts.find((one) => one.contactId === contactId);
  if (contact === undefined) throw new AppError('not_found');
  return contact;
}

function isSame(one: Contact, other: Contact): boolean {
  const facts = ({
    name,
    phone,
    email,
    locale,
    channels,
    relation,
    userId,
    isPhoneVerified,
    isEmailVerified,
  }: Contact) =>
    JSON.stringify([name, phone, email, locale, channels, relation, userId, isPhoneVerified, isEmailVerified]);
  return facts(one) === facts(other);
}
