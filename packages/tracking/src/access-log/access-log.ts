import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';

/** What an entry of an access log is about: a trip (its bare id), a user's sign-outs, or one socket that has to end. */
const userPrefix = 'user:';
const connectionPrefix = 'end:';
export const signOutEntry = (userId: string): string => userPrefix + userId;
/** Neither id has a colon in it. */
export const endEntry = ({ userId, connectionId }: EndOrder): string => `${connectionPrefix}${userId}:${connectionId}`;

/** A socket that an operator ended, and whose it is. */
export interface EndOrder {
  userId: string;
  connectionId: string;
}

/** What one look at the access logs brought. */
export interface AccessNews {
  /** Trips whose record changed. */
  tripIds: string[];
  /** Users of whom tokens were revoked. */
  userIds: string[];
  /** Sockets that an operator ended. */
  endOrders: EndOrder[];
  /** Partitions whose log has lost our place: anything there may have changed. */
  lostPartitions: number[];
  /** Partitions that did not answer, with the reason; the next look begins there where this one did. */
  failures: Map<number, unknown>;
}

const readCount = 1000;

interface Place {
  id: string;
  number: number;
  /** The counter was ahead of what the stream showed, once: an entry may have been on its way. */
  wasBehind: boolean;
}

/**
 * Reads what is new in the access logs of all partitions. Entries are numbered without holes, so a reader knows when it has lost its
 * place: entries were trimmed that it never saw, or Redis lost the log.
 *
 * What it gave is not given again: whoever asked has to act on it, or remember it.
 *
 * Cost: two commands a partition, in one write. The first look only finds the place.
 */
export function createAccessLogReader({ redis, keys }: { redis: RedisClient; keys: Keys }): {
  read(): Promise<AccessNews>;
} {
  const places = new Map<number, Place>();

  async function readPartition(t: number, news: AccessNews): Promise<void> {
    const place = places.get(t);
    const [number, entries] = await Promise.all([
      redis.get(keys.accessLogNumber(t)).then(Number),
      place === undefined
        ? redis.xrevrange(keys.accessLog(t), '+', '-', 'COUNT', 1)
        : redis.xrange(keys.accessLog(t), `(${place.id}`, '+', 'COUNT', readCount),
    ]);
    if (place === undefined) {
      places.set(t, { id: entries[0]?.[0] ?? '0-0', number, wasBehind: false });
      return;
    }

    let isLost = number < place.number;
    for (const [id, fields] of entries) {
      const entryNumber = Number(fields[1]);
      if (entryNumber !== place.number + 1 && place.number > 0) isLost = true;
      place.id = id;
      place.number = entryNumber;
      note(news, fields[3] as string);
    }
    const isBehind = entries.length === 0 && number > place.number;
    if (isBehind && place.wasBehind) isLost = true;
    place.wasBehind = isBehind;
    if (!isLost) return;
    news.lostPartitions.push(t);
    places.set(t, { id: entries.at(-1)?.[0] ?? '0-0', number: Math.max(number, 0), wasBehind: false });
  }

  return {
    async read() {
      const news: AccessNews = {
        tripIds: [],
        userIds: [],
        endOrders: [],
        lostPartitions: [],
        failures: new Map(),
      };
      const readOrNote = (t: number) => readPartition(t, news).catch((error: unknown) => news.failures.set(t, error));
      await Promise.all(Array.from({ length: keys.partitions }, (_, t) => readOrNote(t)));
      return news;
    },
  };
}

function note(news: AccessNews, entry: string): void {
  if (entry.startsWith(userPrefix)) news.userIds.push(entry.slice(userPrefix.length));
  else if (entry.startsWith(connectionPrefix)) news.endOrders.push(readEndEntry(entry));
  else news.tripIds.push(entry);
}

function readEndEntry(entry: string): EndOrder {
  const [, userId = '', connectionId = ''] = entry.split(':');
  return { userId, connectionId };
}
