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
  /** Partitions that answer, but into which nobody seems able to write: that there is no news means nothing. */
  silentPartitions: Set<number>;
}

const readCount = 1000;
/** Five beats, see access-beat.ts. */
const silentAfterMs = 5000;

interface Place {
  id: string;
  number: number;
  /** The counter was ahead of what the stream showed, once: an entry may have been on its way. */
  wasBehind: boolean;
}

interface Beat {
  value: string | null;
  changedAtMs: number;
}

/**
 * Reads what is new in the access logs of all partitions. Entries are numbered without holes, so a reader knows when it has lost its
 * place: entries were trimmed that it never saw, or Redis lost the log.
 *
 * What it gave is not given again: whoever asked has to act on it, or remember it.
 *
 * A log is silent where its beat has stood still for 5 s by this process's own clock, so no two clocks are compared. Where no worker has
 * ever run there is no beat, and nothing is silent.
 *
 * Cost: three commands a partition, in one write. The first look only finds the place. Where looks before it failed, its partition counts as
 * lost: whoever knows something of it may have learned that elsewhere, while Redis was away, and it may have changed since.
 */
export function createAccessLogReader({
  redis,
  keys,
  now = Date.now,
}: {
  redis: RedisClient;
  keys: Keys;
  now?: () => number;
}): {
  read(): Promise<AccessNews>;
} {
  const places = new Map<number, Place>();
  const beats = new Map<number, Beat>();
  /** Partitions without a place that could not be read. */
  const missed = new Set<number>();

  function isSilent(t: number, value: string | null): boolean {
    const beat = beats.get(t);
    if (beat !== undefined && beat.value === value) return now() - beat.changedAtMs > silentAfterMs;
    if (beat !== undefined || value !== null) beats.set(t, { value, changedAtMs: now() });
    return false;
  }

  async function readPartition(t: number, news: AccessNews): Promise<void> {
    const place = places.get(t);
    const [number, entries, beat] = await Promise.all([
      redis.get(keys.accessLogNumber(t)).then(Number),
      place === undefined
        ? redis.xrevrange(keys.accessLog(t), '+', '-', 'COUNT', 1)
        : redis.xrange(keys.accessLog(t), `(${place.id}`, '+', 'COUNT', readCount),
      redis.get(keys.accessLogBeat(t)),
    ]);
    if (isSilent(t, beat)) news.silentPartitions.add(t);
    if (place === undefined) {
      places.set(t, { id: entries[0]?.[0] ?? '0-0', number, wasBehind: false });
      if (missed.delete(t)) news.lostPartitions.push(t);
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
        silentPartitions: new Set(),
      };
      const readOrNote = (t: number) =>
        readPartition(t, news).catch((error: unknown) => {
          news.failures.set(t, error);
          if (!places.has(t)) missed.add(t);
        });
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
