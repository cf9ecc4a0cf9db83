import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, Document, Filter, OptionalId } from 'mongodb';
import { historyCollectionName, type TrackPlace } from './history-store.ts';

/** What a phone said of where it was, as history keeps it. */
interface StoredReading {
  /** Time of the reading by the phone's clock; of a person's fix the time of receipt at the latest. */
  ts: Date;
  run: number;
  seq: number;
  lat: number;
  lng: number;
  accuracyMeters?: number;
  speedMps?: number;
  headingDegrees?: number;
  /** Of a person's fix: when it was by the phone's clock, epoch milliseconds, where that was ahead of ours. */
  phoneTimeMs?: number;
}

/** A fix of the person who raised an alert, in the collection of all fixes. It names no driver and no trip, so no track has it. */
export interface PersonFixDocument extends StoredReading {
  meta: { alertId: string; personId: string };
  batteryPercent?: number;
  /** When it reached us. */
  receivedAt: Date;
}

export interface TrailQuery {
  /** Not before this. */
  from: Date;
  /** Not after this. */
  until: Date;
  /** Only what comes after this in the order (time, run, seq). */
  after?: TrackPlace | undefined;
  limit: number;
}

export interface TrailFixes {
  /** Store a person's fixes with majority; what is offered again is stored again, and read once. */
  insert(documents: readonly PersonFixDocument[]): Promise<void>;
  /**
   * The person's fixes of an alert in order (time, run, seq), each once, at most `limit`. One whose time was ahead and that came twice
   * may be read twice where a page ends between the two.
   */
  readPerson(alertId: string, query: TrailQuery): Promise<StoredReading[]>;
  /** The same of a trip's driver, whether or not they are marked with the alert yet. */
  readTrip(tripId: string, query: TrailQuery): Promise<StoredReading[]>;
}

/**
 * History as the trail of an alert needs it.
 *
 * @throws AppError `database_unavailable`; after an insert the outcome may be unknown
 * Cost: one insertMany; a read is one indexed find, a second one where fixes were stored twice.
 */
export function createTrailFixes({ db, deadlineMs }: { db: Db; deadlineMs: number }): TrailFixes {
  const collection = db.collection<OptionalId<PersonFixDocument>>(historyCollectionName);
  const readings = db.collection<StoredReading>(historyCollectionName, { readConcern: { level: 'majority' } });

  async function read(whose: Document, { from, until, after, limit }: TrailQuery): Promise<StoredReading[]> {
    const since = after === undefined ? from : new Date(Math.max(after.tsMs, from.getTime()));
    const filter = { ...whose, ts: { $gte: since, $lte: until } } as Filter<StoredReading>;
    const found: StoredReading[] = [];
    const isNew = createIsNew(after);
    try {
      for (let skip = 0; ; skip += limit) {
        const options = { sort: { ts: 1, run: 1, seq: 1 } as const, skip, limit, projection: { _id: 0 } };
        const page = await readings.find(filter, { ...options, ...deadline(deadlineMs) }).toArray();
        for (const reading of page) {
          if (!isNew(reading)) continue;
          found.push(reading);
          if (found.length === limit) return found;
        }
        if (page.length < limit) return found;
      }
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
    readPerson: (alertId, query) => read({ 'meta.alertId': alertId, 'meta.personId': { $exists: true } }, query),
    readTrip: (tripId, query) => read({ 'meta.tripId': tripId }, query),
  };
}

/** Whether a reading is the first of its kind, asked for each in their order. */
function createIsNew(after: TrackPlace | undefined): (reading: StoredReading) => boolean {
  let last = after;
  /** What was given the time of its receipt and came again was received twice: its place does not tell that it is the same. */
  const received = new Set<string>();
  return (reading) => {
    const place = placeOfReading(reading);
    if (last !== undefined && comparePlaces(place, last) <= 0) return false;
    last = place;
    const name = `${reading.run}.${reading.seq}`;
    if (received.has(name)) return false;
    if (reading.phoneTimeMs !== undefined) received.add(name);
    return true;
  };
}

export const placeOfReading = ({ ts, run, seq }: StoredReading): TrackPlace => ({ tsMs: ts.getTime(), run, seq });

export const comparePlaces = (a: TrackPlace, b: TrackPlace): number =>
  a.tsMs - b.tsMs || a.run - b.run || a.seq - b.seq;
