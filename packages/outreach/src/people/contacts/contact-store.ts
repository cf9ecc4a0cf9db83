import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import type { Db } from 'mongodb';
import { createVersionedStore, type VersionedDocument, type VersionedStore } from '../versioned/versioned-store.ts';
import type { SealedContact } from './contact-seal.ts';

export const emergencyContactsCollection: CollectionDeclaration = { name: 'emergency_contacts', indexes: [] };

/** All contacts of one person, whose id it has, as the collection `emergency_contacts` holds them. */
export interface ContactsDocument extends VersionedDocument {
  contacts: SealedContact[];
}

export type ContactStore = VersionedStore<ContactsDocument>;

export const createContactStore = ({ db, deadlineMs = 2_500 }: { db: Db; deadlineMs?: number }): ContactStore =>
  createVersionedStore<ContactsDocument>({ db, name: emergencyContactsCollection.name, deadlineMs });
