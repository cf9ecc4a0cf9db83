import type { Logger } from '@hushryd/platform/logging/logger';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { CacheEntries } from '../cache/cache-entries.ts';
import { createVersionedCache } from '../cache/versioned-cache.ts';
import type { CopyKeeper } from '../versioned/change-versioned.ts';
import type { VersionedStore } from '../versioned/versioned-store.ts';
import {
  emptyRota,
  type OnCallPerson,
  type PersonSeal,
  type Rota,
  type RotaDocument,
  rotaId,
  type SealedPerson,
} from './on-call-document.ts';
import { whoIsOnCall } from './who-is-on-call.ts';

/** Whom to call, level by level; nobody on a level that has a gap. `isStale`: neither store answered, and this is what the node read last. */
export interface OnCallLevels {
  version: number;
  isStale: boolean;
  levels: OnCallPerson[][];
}

export interface OnCallReader extends CopyKeeper {
  /** Ends within `withinMs`, never throws. Undefined where neither store answered and this node has never read a rota. */
  readOnCall(at: { atMs: number; withinMs: number }): Promise<OnCallLevels | undefined>;
}

const truthWithinMs = 1_000;

/**
 * Who is on call, for an alert that is not answered: from Redis, from MongoDB, or from what this node read last, since an alert that both
 * stores are away for still has to ring somewhere.
 */
export function createOnCallReader({
  store,
  seal,
  entries,
  keys,
  log,
}: {
  store: Pick<VersionedStore<RotaDocument>, 'find'>;
  seal: PersonSeal;
  entries: CacheEntries;
  keys: Keys;
  log: Logger;
}): OnCallReader {
  let last: Rota | undefined;
  const cache = createVersionedCache<Rota>({
    entries,
    keyOf: keys.onCall,
    async readTruth() {
      const { version, timeZone, people, levels, overrides } = (await store.find(rotaId, truthWithinMs)) ?? emptyRota;
      return { version, timeZone, people, levels, overrides };
    },
    parse: parseRota,
    log,
  });

  /** One whose number cannot be decrypted must not keep an alert from the others. */
  function openOrLeaveOut(person: SealedPerson): OnCallPerson[] {
    try {
      return [seal.open(person)];
    } catch (err) {
      log.error({ err, personId: person.personId }, 'somebody on call cannot be called, the number is not readable');
      return [];
    }
  }

  return {
    beginChange: cache.beginChange,
    settle: cache.settle,
    async readOnCall({ atMs, withinMs }) {
      const read = await cache.read(rotaId, { withinMs });
      if ('found' in read) last = read.found;
      if (last === undefined) return undefined;
      const { version, people } = last;
      const levels = whoIsOnCall(last, atMs).map(({ personIds }) =>
        personIds.flatMap((id) => people.filter(({ personId }) => personId === id)).flatMap(openOrLeaveOut),
      );
      return { version, isStale: !('found' in read), levels };
    },
  };
}

function parseRota(data: string): Rota | undefined {
  try {
    const rota = JSON.parse(data) as Partial<Rota>;
    return Array.isArray(rota.levels) && Array.isArray(rota.people) ? (rota as Rota) : undefined;
  } catch {
    return undefined; // Not of this build: read the truth.
  }
}
