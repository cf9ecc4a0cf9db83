import { deadline, isDuplicateKey } from '@hushryd/platform/mongo/deadline';
import type { AnyBulkWriteOperation, Collection, Db, Document, Filter } from 'mongodb';
import type { AlertDocument } from '../alerts/alert-document.ts';
import { type SealedFact, sealedFactId, timelineCollection } from './timeline-document.ts';
import type { TimelineHead } from './timeline-head.ts';

/** An alert with facts that are not sealed: its oldest ones, and the head behind which they come. */
export type UnsealedAlert = Pick<AlertDocument, '_id' | 'facts' | 'timelineHead'>;

export interface TakingOut {
  alertId: string;
  /** So many of the oldest facts. */
  count: number;
  /** Only where this is still the head. */
  from: TimelineHead;
  to: TimelineHead;
}

/** What the sealer asks of the two collections. */
export interface SealStore {
  /** Ids of alerts with facts, in their order. */
  findWaiting(limit: number): Promise<string[]>;
  /** Of these alerts those that have facts, of each its oldest ones. */
  read(alertIds: readonly string[], options: { factLimit: number }): Promise<UnsealedAlert[]>;
  /** Where facts of these names stand in the timeline, by `sealedFactId`. */
  placesOf(alerts: readonly UnsealedAlert[]): Promise<Map<string, number>>;
  /** Insert with majority what is not there yet. @returns ids of rows in whose place something else stands */
  insert(rows: readonly SealedFact[]): Promise<Set<string>>;
  takeOut(takings: readonly TakingOut[]): Promise<void>;
}

/** @throws whatever the driver throws */
export function createSealStore({ db, deadlineMs }: { db: Db; deadlineMs: number }): SealStore {
  const alerts: Collection<AlertDocument> = db.collection('alerts', { readConcern: { level: 'majority' } });
  const timeline: Collection<SealedFact> = db.collection(timelineCollection.name, {
    readConcern: { level: 'majority' },
  });

  async function readAgain(rows: readonly SealedFact[]): Promise<Set<string>> {
    const ids = rows.map(({ _id }) => _id);
    const stored = await timeline
      .find({ _id: { $in: ids } }, { projection: { hash: 1 }, ...deadline(deadlineMs) })
      .toArray();
    const hashes = new Map(stored.map(({ _id, hash }) => [_id, hash]));
    return new Set(rows.filter(({ _id, hash }) => hashes.get(_id) !== hash).map(({ _id }) => _id));
  }

  return {
    async findWaiting(limit) {
      const options = { projection: { _id: 1 }, sort: { _id: 1 }, limit, ...deadline(deadlineMs) } as const;
      const found = await alerts.find<Pick<AlertDocument, '_id'>>({ hasFacts: true }, options).toArray();
      return found.map(({ _id }) => _id);
    },

    read(alertIds, { factLimit }) {
      const filter: Filter<AlertDocument> = { _id: { $in: [...alertIds] }, hasFacts: true };
      const projection = { timelineHead: 1, facts: { $slice: factLimit } };
      return alerts.find(filter, { projection, sort: { _id: 1 }, ...deadline(deadlineMs) }).toArray();
    },

    async placesOf(unsealed) {
      const ids = unsealed.flatMap(({ _id, facts }) => facts.map(({ factId }) => sealedFactId(_id, factId)));
      if (ids.length === 0) return new Map();
      const stored = await timeline
        .find({ _id: { $in: ids } }, { projection: { seq: 1 }, ...deadline(deadlineMs) })
        .toArray();
      return new Map(stored.map(({ _id, seq }) => [_id, seq]));
    },

    async insert(rows) {
      if (rows.length === 0) return new Set();
      try {
        await timeline.insertMany([...rows], {
          ordered: false,
          writeConcern: { w: 'majority', journal: true },
          ...deadline(deadlineMs),
        });
        return new Set();
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return readAgain(rows);
      }
    },

    async takeOut(takings) {
      if (takings.length === 0) return;
      // Where a failover undoes it, the facts are sealed once more: one member's word is enough.
      await alerts.bulkWrite(takings.map(toUpdate), {
        ordered: false,
        writeConcern: { w: 1 },
        ...deadline(deadlineMs),
      });
    },
  };
}

function toUpdate({ alertId, count, from, to }: TakingOut): AnyBulkWriteOperation<AlertDocument> {
  const filter: Filter<AlertDocument> = {
    _id: alertId,
    ...(from.seq === 0 ? { timelineHead: { $exists: false } } : { 'timelineHead.seq': from.seq }),
  };
  const rest = { $slice: ['$facts', count, { $max: [1, { $size: '$facts' }] }] };
  const settleFlag = { $set: { hasFacts: { $gt: [{ $size: '$facts' }, 0] } } };
  const update: Document[] = [{ $set: { facts: rest, timelineHead: { $literal: to } } }, settleFlag];
  return { updateOne: { filter, update: count === 0 ? [settleFlag] : update } };
}
