import { AppError } from '@hushryd/platform/errors/app-error';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import type { Db } from 'mongodb';
import { compareToPlace, createHistoryStore, placeOf, type TrackPlace } from './history-store.ts';
import { decodeEntry } from './packed-fixes.ts';
import { type HistoryDocument, toHistoryDocuments } from './to-history-document.ts';

export interface TrackPage {
  fixes: HistoryDocument[];
  /**
   * `complete`: what is not in MongoDB yet is included; `truncated`: some of it is not, being too much, or newer than what fits on the page, or
   * because Redis is away; `none`: not the first page.
   */
  tail: 'complete' | 'truncated' | 'none';
  nextCursor: string | null;
}

export interface TrackReader {
  /** @param cursor of the page before; undefined for the first */
  readTrack(query: {
    tripId: string;
    driverId: string;
    limit: number;
    cursor?: string | undefined;
  }): Promise<TrackPage>;
  /**
   * The whole track, `limit` stored fixes at a time, and at its end what was on its way to MongoDB when it began. Memory holds one page
   * and that.
   */
  readPages(query: { tripId: string; driverId: string; limit: number }): AsyncGenerator<HistoryDocument[], void, void>;
}

interface Tail {
  fixes: HistoryDocument[];
  isTruncated: boolean;
}

const entriesAtOnce = 64;
const maxTailEntries = 2000;
const maxTailBytes = 4 * 1024 * 1024;

/**
 * The fixes of one trip in order (time, run, seq), each once: MongoDB, and on the first page what is still on its way there.
 *
 * The stream's tail is read first: an entry leaves the stream only after it is stored, so whatever the tail no longer has, MongoDB
 * already shows. Fixes that are in both, or were stored twice, are recognised by (driver, run, seq).
 *
 * @throws AppError `cursor_invalid`, `database_unavailable`
 * Cost: as a rule one XRANGE of at most 64 entries (up to 2,000 or 4 MiB where history is behind), one indexed find.
 */
export function createTrackReader({
  redis,
  keys,
  db,
  deadlineMs,
}: {
  redis: RedisClient;
  keys: Keys;
  db: Db;
  deadlineMs: number;
}): TrackReader {
  const store = createHistoryStore({ db, deadlineMs });

  /** Without Redis the track is what MongoDB has, and says so. */
  async function readTail(tripId: string, driverId: string): Promise<Tail> {
    try {
      return await readStream(tripId, keys.fixes(keys.driverPartition(driverId)));
    } catch (error) {
      if (toRedisError(error).code === 'redis_unavailable') return { fixes: [], isTruncated: true };
      throw error;
    }
  }

  /** In small steps, so that a long backlog is neither held here nor holds up Redis. */
  async function readStream(tripId: string, key: string): Promise<Tail> {
    const fixes: HistoryDocument[] = [];
    let from = '-';
    let bytes = 0;
    for (let count = 0; count < maxTailEntries; ) {
      const entries = (await redis.xrangeBuffer(key, from, '+', 'COUNT', entriesAtOnce)) as [Buffer, Buffer[]][];
      for (const [, fields] of entries) {
        const packed = fields[1] as Buffer;
        bytes += packed.length;
        for (const group of decodeEntry(packed)) {
          if (group.tripId === tripId) fixes.push(...toHistoryDocuments(group));
        }
      }
      if (entries.length < entriesAtOnce) return { fixes, isTruncated: false };
      if (bytes > maxTailBytes) break;
      count += entries.length;
      from = `(${entries.at(-1)?.[0].toString('latin1')}`;
    }
    return { fixes, isTruncated: true };
  }

  return {
    async readTrack({ tripId, driverId, limit, cursor }) {
      const after = cursor === undefined ? undefined : decodeCursor(cursor);
      const tail = after === undefined ? await readTail(tripId, driverId) : undefined;
      const stored = await store.readTrip({ tripId, after, limit });
      const merged = tail === undefined ? stored.fixes : merge(stored, tail.fixes);
      const fixes = merged.slice(0, limit);
      const hasMore = stored.hasMore || merged.length > limit;
      const end = hasMore ? fixes.at(-1) : undefined;
      return {
        fixes,
        tail: describeTail(tail, end),
        nextCursor: end === undefined ? null : encodeCursor(placeOf(end)),
      };
    },

    async *readPages({ tripId, driverId, limit }) {
      let { fixes: tail } = await readTail(tripId, driverId);
      for (let after: TrackPlace | undefined; ; ) {
        const stored = await store.readTrip({ tripId, after, limit });
        yield merge(stored, tail);
        const end = stored.fixes.at(-1);
        if (!stored.hasMore || end === undefined) return;
        after = placeOf(end);
        tail = beyond(tail, after);
      }
    },
  };
}

/** Where MongoDB has more than the page, only the tail's fixes up to the page's end belong on it. */
function merge(stored: { fixes: HistoryDocument[]; hasMore: boolean }, tail: HistoryDocument[]): HistoryDocument[] {
  const end = stored.fixes.at(-1);
  const onPage = stored.hasMore && end ? tail.filter((fix) => compareToPlace(fix, placeOf(end)) <= 0) : tail;
  if (onPage.length === 0) return stored.fixes;
  const sorted = [...stored.fixes, ...onPage].sort((a, b) => compareToPlace(a, placeOf(b)));
  return sorted.filter(
    (fix, index) => index === 0 || compareToPlace(fix, placeOf(sorted[index - 1] as HistoryDocument)) !== 0,
  );
}

const beyond = (fixes: HistoryDocument[], place: TrackPlace) => fixes.filter((fix) => compareToPlace(fix, place) > 0);

/** @param end of a page after which more follow: they have no tail of their own */
function describeTail(tail: Tail | undefined, end: HistoryDocument | undefined): TrackPage['tail'] {
  if (tail === undefined) return 'none';
  const isLeftOut = end !== undefined && beyond(tail.fixes, placeOf(end)).length > 0;
  return tail.isTruncated || isLeftOut ? 'truncated' : 'complete';
}

function encodeCursor({ tsMs, run, seq }: TrackPlace): string {
  return Buffer.from(`${tsMs}.${run}.${seq}`).toString('base64url');
}

function decodeCursor(cursor: string): TrackPlace {
  const match = /^(\d{1,16})\.(\d{1,16})\.(\d{1,10})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match === null) throw new AppError('cursor_invalid');
  return { tsMs: Number(match[1]), run: Number(match[2]), seq: Number(match[3]) };
}
