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
  /** `complete`: what is not in MongoDB yet is included; `truncated`: there was too much of it to read; `none`: not the first page. */
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
}

const maxTailEntries = 2000;
const maxTailBytes = 4 * 1024 * 1024;

/**
 * The fixes of one trip in order (time, run, seq), each once: MongoDB, and on the first page what is still on its way there.
 *
 * The stream's tail is read first: an entry leaves the stream only after it is stored, so whatever the tail no longer has, MongoDB
 * already shows. Fixes that are in both, or were stored twice, are recognised by (driver, run, seq).
 *
 * @throws AppError `cursor_invalid`, `redis_unavailable`, `database_unavailable`
 * Cost: one XRANGE of at most 2,000 entries, one indexed find.
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

  async function readTail(
    tripId: string,
    driverId: string,
  ): Promise<{ fixes: HistoryDocument[]; isTruncated: boolean }> {
    let entries: [Buffer, Buffer[]][];
    try {
      const key = keys.fixes(keys.driverPartition(driverId));
      entries = (await redis.xrangeBuffer(key, '-', '+', 'COUNT', maxTailEntries + 1)) as [Buffer, Buffer[]][];
    } catch (error) {
      throw toRedisError(error);
    }
    const fixes: HistoryDocument[] = [];
    let bytes = 0;
    for (const [, fields] of entries.slice(0, maxTailEntries)) {
      const packed = fields[1] as Buffer;
      bytes += packed.length;
      if (bytes > maxTailBytes) return { fixes, isTruncated: true };
      for (const group of decodeEntry(packed)) {
        if (group.tripId === tripId) fixes.push(...toHistoryDocuments(group));
      }
    }
    return { fixes, isTruncated: entries.length > maxTailEntries };
  }

  return {
    async readTrack({ tripId, driverId, limit, cursor }) {
      const after = cursor === undefined ? undefined : decodeCursor(cursor);
      const tail = after === undefined ? await readTail(tripId, driverId) : undefined;
      const stored = await store.readTrip({ tripId, after, limit });
      const merged = tail === undefined ? stored.fixes : merge(stored, tail.fixes);
      const fixes = merged.slice(0, limit);
      const hasMore = stored.hasMore || merged.length > limit;
      return {
        fixes,
        tail: describeTail(tail),
        nextCursor: hasMore ? encodeCursor(placeOf(fixes.at(-1) as HistoryDocument)) : null,
      };
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

function describeTail(tail: { isTruncated: boolean } | undefined): TrackPage['tail'] {
  if (tail === undefined) return 'none';
  return tail.isTruncated ? 'truncated' : 'complete';
}

function encodeCursor({ tsMs, run, seq }: TrackPlace): string {
  return Buffer.from(`${tsMs}.${run}.${seq}`).toString('base64url');
}

function decodeCursor(cursor: string): TrackPlace {
  const match = /^(\d{1,16})\.(\d{1,16})\.(\d{1,10})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match === null) throw new AppError('cursor_invalid');
  return { tsMs: Number(match[1]), run: Number(match[2]), seq: Number(match[3]) };
}
