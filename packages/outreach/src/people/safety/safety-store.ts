import type { SealedText } from '@hushryd/platform/crypto/field-cipher';
import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import type { Db } from 'mongodb';
import { createVersionedStore, type VersionedDocument, type VersionedStore } from '../versioned/versioned-store.ts';
import type { PinHashes } from './pin-hashes.ts';

export const safetySettingsCollection: CollectionDeclaration = { name: 'safety_settings', indexes: [] };

/** Both PINs, and since when they are these. */
export interface StoredPins extends PinHashes {
  /** By the clock of the node that took them. Absent in what was set before alerts asked for it: then long ago. */
  setAt?: Date;
}

/** What one person set for an emergency, as the collection `safety_settings` holds it. */
export interface SafetyDocument extends VersionedDocument {
  locale: string;
  phone?: SealedText;
  isPhoneVerified: boolean;
  pins?: StoredPins;
}

export type SafetyStore = VersionedStore<SafetyDocument>;

export const createSafetyStore = ({ db, deadlineMs = 2_500 }: { db: Db; deadlineMs?: number }): SafetyStore =>
  createVersionedStore<SafetyDocument>({ db, name: safetySettingsCollection.name, deadlineMs });
