import { type Contact, maxContacts, type PutContactBody } from '@hushryd/contracts/http/contacts';
import { AppError } from '@hushryd/platform/errors/app-error';
import { type CopyKeeper, changeVersioned, type Decide } from '../versioned/change-versioned.ts';
import type { ContactSeal } from './contact-seal.ts';
import type { ContactStore, ContactsDocument } from './contact-store.ts';

export interface ContactBook {
  list(userId: string): Promise<{ version: number; contacts: Contact[] }>;
  /** @throws AppError `not_found` */
  get(userId: string, contactId: string): Promise<Contact>;
  /**
   * Add a contact under the caller's id, or replace it. A number or email that is no longer the verified one is not verified any more.
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
  const open = (document: ContactsDocument | null): Contact[] =>
    document?.contacts.map((contact) => seal.open(document._id, contact)) ?? [];

  async function change(userId: string, decide: Decide<ContactsDocument>): Promise<Contact[]> {
    return open(await changeVersioned({ store, copies, id: userId, decide, now }));
  }

  return {
    async list(userId) {
      const document = await store.find(userId);
      return { version: document?.version ?? 0, contacts: open(document) };
    },

    async get(userId, contactId) {
      return findIn(open(await store.find(userId)), contactId);
    },

    async put(userId, contactId, fields) {
      checkChannels(fields);
      let isNew = false;
      const contacts = await change(userId, (document) => {
        const stored = document?.contacts ?? [];
        const sealed = stored.find((contact) => contact.contactId === contactId);
        const previous = sealed && seal.open(userId, sealed);
        const contact = { contactId, ...fields, ...keptProofs(fields, previous) };
        if (previous !== undefined && isSame(previous, contact)) return undefined;
        isNew = previous === undefined;
        if (isNew && stored.length >= maxContacts) throw new AppError('contact_limit');
        const next = seal.seal(userId, contact);
        return { contacts: sealed ? stored.map((one) => (one === sealed ? next : one)) : [...stored, next] };
      });
      return { contact: findIn(contacts, contactId), isNew };
    },

    async remove(userId, contactId) {
      await change(userId, (document) => {
        const rest = document?.contacts.filter((contact) => contact.contactId !== contactId);
        return rest === undefined || rest.length === document?.contacts.length ? undefined : { contacts: rest };
      });
    },

    async markVerified(userId, contactId, { field, value }) {
      const flag = field === 'phone' ? 'isPhoneVerified' : 'isEmailVerified';
      const contacts = await change(userId, (document) => {
        const opened = findIn(open(document), contactId);
        if (opened[field] !== value) throw new AppError('code_expired');
        if (opened[flag]) return undefined;
        const mark = (one: ContactsDocument['contacts'][number]) =>
          one.contactId === contactId ? { ...one, [flag]: true } : one;
        return { contacts: document?.contacts.map(mark) ?? [] };
      });
      return findIn(contacts, contactId);
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

function findIn(contacts: readonly Contact[], contactId: string): Contact {
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
