import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db } from 'mongodb';
import type { NotificationChannel } from './notification-document.ts';
import type { QuietHours } from './quiet-hours.ts';
import type { Locale } from './templates/template.ts';

export const preferencesCollection: CollectionDeclaration = { name: 'notification_preferences', indexes: [] };

/** What a person wants to be told, and when. */
export interface Preferences {
  readonly locale: Locale;
  /** IANA name. */
  readonly timeZone: string;
  readonly channelsOff: readonly NotificationChannel[];
  readonly quietHours: QuietHours | null;
}

interface PreferencesDocument extends Preferences {
  readonly _id: string;
  readonly changedAt: Date;
}

export interface PreferencesStore {
  /** null where the person has never said anything. */
  find(personId: string): Promise<Preferences | null>;
  /** All of them anew; the last one to write holds. */
  put(personId: string, preferences: Preferences, nowMs: number): Promise<void>;
}

/** Of whoever has not said anything. */
export const defaultPreferences: Preferences = {
  locale: 'en',
  timeZone: 'Asia/Kolkata',
  channelsOff: [],
  quietHours: null,
};

/** @throws AppError `database_unavailable` from every function; a put may be made again */
export function createPreferencesStore({ db, deadlineMs = 5_000 }: { db: Db; deadlineMs?: number }): PreferencesStore {
  const documents = db.collection<PreferencesDocument>('notification_preferences', {
    readConcern: { level: 'majority' },
  });

  async function write(personId: string, preferences: Preferences, nowMs: number): Promise<void> {
    await documents.replaceOne(
      { _id: personId },
      { ...preferences, changedAt: new Date(nowMs) },
      { upsert: true, writeConcern: { w: 'majority', journal: true }, ...deadline(deadlineMs) },
    );
  }

  return {
    async find(personId) {
      try {
        const found = await documents.findOne({ _id: personId }, deadline(deadlineMs));
        if (found === null) return null;
        const { _id, changedAt, ...preferences } = found;
        return preferences;
      } catch (error) {
        throw toMongoError(error);
      }
    },
    async put(personId, preferences, nowMs) {
      try {
        await write(personId, preferences, nowMs).catch((error: unknown) => {
          // Two first ones at a time: the slower one replaces.
          if (!isDuplicateKey(error)) throw error;
          return write(personId, preferences, nowMs);
        });
      } catch (error) {
        throw toMongoError(error);
      }
    },
  };
}
