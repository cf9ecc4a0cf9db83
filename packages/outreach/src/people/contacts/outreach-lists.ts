import type { Logger } from '@hushryd/platform/logging/logger';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { CacheEntries } from '../cache/cache-entries.ts';
import { type CachedRead, createVersionedCache } from '../cache/versioned-cache.ts';
import type { CopyKeeper } from '../versioned/change-versioned.ts';
import type { SealedContact } from './contact-seal.ts';
import type { ContactStore } from './contact-store.ts';

/** Whom an alert of this person reaches, as the alert takes a snapshot of it. `createContactSeal` opens it, for the same person. */
export interface OutreachList {
  userId: string;
  /** Rises with every change; 0 where the person never had contacts. */
  version: number;
  contacts: SealedContact[];
}

export interface OutreachLists extends CopyKeeper {
  /**
   * The contacts of a person who is in danger, from Redis or, without a copy there, from MongoDB. Never throws.
   *
   * Every change that was acknowledged before the call is in it. `missed`: nobody could say within `withinMs` (50 in design §6); the alert is
   * then written without contacts, and they are added later.
   */
  readOutreachList(userId: string, options: { withinMs: number }): Promise<CachedRead<OutreachList>>;
  /**
   * The version that MongoDB has, for whoever is about to send by a snapshot.
   * @throws AppError `database_unavailable`
   */
  currentVersion(userId: string, withinMs: number): Promise<number>;
}

/** Above the 50 ms that an alert waits: what comes later still fills the cache. Below what would pile up behind a hung database. */
const truthWithinMs = 1_000;

/** Emergency contacts as alerts read them: cached in Redis with their versions, encrypted there as they are in MongoDB. */
export function createOutreachLists({
  store,
  entries,
  keys,
  log,
}: {
  store: ContactStore;
  entries: CacheEntries;
  keys: Keys;
  log: Logger;
}): OutreachLists {
  const cache = createVersionedCache<OutreachList>({
    entries,
    keyOf: keys.contacts,
    async readTruth(userId) {
      const document = await store.find(userId, truthWithinMs);
      return { userId, version: document?.version ?? 0, contacts: document?.contacts ?? [] };
    },
    parse: parseList,
    log,
  });
  return {
    ...cache,
    readOutreachList: cache.read,
    async currentVersion(userId, withinMs) {
      return (await store.find(userId, withinMs))?.version ?? 0;
    },
  };
}

function parseList(data: string): OutreachList | undefined {
  try {
    const list = JSON.parse(data) as Partial<OutreachList>;
    return Array.isArray(list.contacts) && typeof list.version === 'number' ? (list as OutreachList) : undefined;
  } catch {
    return undefined; // Not of this build: read the truth.
  }
}
