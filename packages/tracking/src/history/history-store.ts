import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, OptionalId } from 'mongodb';
import type { HistoryDocument } from './to-history-document.ts';

export const historyCollectionName = 'location_history';

/** `location_history`: a time series that forgets by itself after `ttlDays`. */
export function declareLocationHistory({ ttlDays }: { ttlDays: number }): CollectionDeclaration {
  return {
    name: historyCollectionName,
    timeseries: { timeField: 'ts', metaField: 'meta', granularity: 'seconds' },
    options: { expireAfterSeconds: ttlDays * 86_400 },
    indexes: [
      { key: { 'meta.tripId': 1, ts: 1 }, name: 'trip_time' },
      { key: { 'meta.driverId': 1, ts: 1 }, name: 'driver_time' },
      { key: { 'meta.alertId': 1, ts: 1 }, name: 'alert_time' },
    ],
  };
}

/** Where a reader of a trip is: after this fix. */
export interface TrackPlace {
  tsMs: number;
  run: number;
  seq: number;
}

export interface HistoryStore {
  /**
   * Store fixes with majority. May store one twice when an outcome was unknown and the batch is offered again: a time series knows no
   * unique index, so readers go by (driver, run, seq).
   */
  insert(documents: readonly HistoryDocument[]): Promise<void>;
  /** Fixes of a trip in order (time, run, seq), each once, from after `place`; at most `limit`, and whether there are more. */
  readTrip(query: {
    tripId: string;
    after?: TrackPlace | undefined;
    limit: number;
  }): Promise<{ fixes: HistoryDocument[]; hasMore: boolean }>;
}

/**
 * @throws AppError `database_unavailable`; after an insert the outcome may be unknown, see `insert`
 * Cost: one unordered insertMany; a read of `limit` fixes one indexed find or two.
 */
export function createHistoryStore({ db, deadlineMs }: { db: Db; deadlineMs: number }): HistoryStore {
  const collection = db.collection<OptionalId<HistoryDocument>>(historyCollectionName);

  async function find({
    tripId,
    after,
    limit,
    skip,
  }: {
    tripId: string;
    after: TrackPlace | undefined;
    limit: number;
    skip: number;
  }) {
    try {
      return await collection
        .find(
          { 'meta.tripId': tripId, ...(after && { ts: { $gte: new Date(after.tsMs) } }) },
          {
            sort: { ts: 1, run: 1, seq: 1 },
            skip,
            limit,
            projection: { _id: 0 },
            readConcern: { level: 'majority' },
            ...deadline(deadlineMs),
          },
        )
        .toArray();
    } catch (error) {
      throw toMongoError(error);
    }
  }

  return {
    async insert(documents) {
      if (documents.length === 0) return;
      try {
        await collection.insertMany([...documents], {
          ordered: false,
          writeConcern: { w: 'majority', journal: true },
          ...deadline(deadlineMs),
        });
      } catch (error) {
        throw toMongoError(error);
      }
    },

    async readTrip({ tripId, after, limit }) {
      const fixes: HistoryDocument[] = [];
      let last = after;
      // Stored twice is rare, so one look nearly always fills the page; `+ 1` tells whether there are more.
      for (let skip = 0; ; skip += limit + 1) {
        const found = await find({ tripId, after, limit: limit + 1, skip });
        for (const document of found) {
          if (last !== undefined && compareToPlace(document, last) <= 0) continue;
          if (fixes.length === limit) return { fixes, hasMore: true };
          fixes.push(document);
          last = placeOf(document);
        }
        if (found.length <= limit) return { fixes, hasMore: false };
      }
    },
  };
}

export const placeOf = (document: HistoryDocument): TrackPlace => ({
  tsMs: document.ts.getTime(),
  run: document.run,
  seq: document.seq,
});

/** Order of a track: time, then run, then seq. */
export function compareToPlace(document: HistoryDocument, place: TrackPlace): number {
  return document.ts.getTime() - place.tsMs || document.run - place.run || document.seq - place.seq;
}
