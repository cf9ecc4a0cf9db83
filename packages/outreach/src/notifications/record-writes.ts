import { randomUUID } from 'node:crypto';
import { deadline, isRefusal } from '@hushryd/platform/mongo/deadline';
import { type Collection, type Document, type Filter, MongoBulkWriteError, type UpdateFilter } from 'mongodb';
import { createGather, type Gather } from './gather.ts';
import type { NotificationDocument, StoredAttempt } from './notification-document.ts';
import { type RecordChange, unsettled } from './record-changes.ts';

type Inserted = 'inserted' | 'exists';

interface ClaimOrder {
  readonly recordId: string;
  readonly now: () => number;
  readonly leaseMs: number;
}

interface Update {
  readonly filter: Filter<NotificationDocument>;
  readonly update: UpdateFilter<NotificationDocument>;
}

interface AttemptOrder {
  /** As it was read: it is written to where nobody has taken it up, or told something of it, since. */
  readonly known: Pick<NotificationDocument, '_id' | 'fence' | 'receiptCount' | 'attempts'>;
  readonly attempt: StoredAttempt;
  readonly update: RecordChange['update'];
}

/** What a process writes of many records at the same time, gathered. */
export interface RecordWrites {
  /** `exists`: there is one of this id. */
  insert: Gather<NotificationDocument, Inserted>;
  /** @returns null where nothing is due, or somebody else has it */
  claim: Gather<ClaimOrder, NotificationDocument | null>;
  /** @returns false where it was not written, or where that cannot be said: the record tells */
  addAttempt: Gather<AttemptOrder, boolean>;
  /** By itself. @returns whether it matched */
  updateOne(update: Update): Promise<boolean>;
}

export const writeConcern = { w: 'majority', journal: true } as const;
const maxItems = 32;
const duplicateKey = 11_000;

/**
 * Three kinds of writes go out in batches of their own, so that a majority and a disk are waited for once for all that was asked meanwhile.
 *
 * No `findOneAndUpdate`: the embedded engine walks through the whole collection for it, whatever the filter (0.7.0b3, 5,000 records: 130 ms,
 * where `updateOne` takes 10). Whoever takes up a record writes a name into it that nobody else has, and reads by that what is theirs.
 *
 * @throws errors of the driver, all that were in the batch the same
 */
export function createRecordWrites({
  notifications,
  deadlineMs,
}: {
  notifications: Collection<NotificationDocument>;
  deadlineMs: number;
}): RecordWrites {
  const options = () => ({ ordered: false, writeConcern, ...deadline(deadlineMs) });

  async function insertAll(documents: readonly NotificationDocument[]): Promise<readonly Inserted[]> {
    try {
      await notifications.insertMany([...documents], options());
      return documents.map(() => 'inserted');
    } catch (error) {
      const existing = readDuplicates(error, documents.length);
      return documents.map((_, index) => (existing.has(index) ? 'exists' : 'inserted'));
    }
  }

  /** In one statement, which the embedded engine takes to its disk once: 1.9 ms a record of eight, where an update each took 4.8. */
  async function claimAll(orders: readonly ClaimOrder[]): Promise<readonly (NotificationDocument | null)[]> {
    const claim = randomUUID();
    const ids = [...new Set(orders.map(({ recordId }) => recordId))];
    // The lease begins when it is asked for, not when the wait for a turn does.
    const nowMs = Math.min(...orders.map(({ now }) => now()));
    const leaseMs = Math.max(...orders.map((order) => order.leaseMs));
    const { matchedCount } = await notifications.updateMany(
      { _id: { $in: ids }, nextAt: { $lte: new Date(nowMs) }, leaseUntil: { $lte: new Date(nowMs) } },
      { $set: { leaseUntil: new Date(nowMs + leaseMs), claim }, $inc: { fence: 1, starts: 1 } },
      { writeConcern, ...deadline(deadlineMs) },
    );
    if (matchedCount === 0) return orders.map(() => null);
    const found = await notifications.find({ _id: { $in: ids }, claim }, deadline(deadlineMs)).toArray();
    const taken = new Map(found.map((document) => [document._id, document]));
    return orders.map(({ recordId }) => {
      const document = taken.get(recordId) ?? null;
      // Whoever of this batch asks for the same one later has come too late.
      taken.delete(recordId);
      return document;
    });
  }

  /** In one statement as well: 1.6 ms a record of eight, where an update each took 4.6. */
  async function addAllAttempts(orders: readonly AttemptOrder[]): Promise<readonly boolean[]> {
    const ids = [...new Set(orders.map(({ known }) => known._id))];
    const { modifiedCount } = await notifications.updateMany({ _id: { $in: ids } }, toAddAttempts(orders), {
      writeConcern,
      ...deadline(deadlineMs),
    });
    // Which of them were not written is not told.
    return orders.map(() => modifiedCount === orders.length);
  }

  return {
    insert: createGather({ maxItems, run: insertAll }),
    claim: createGather({ maxItems, run: claimAll, mayBeOfOne: isRefusal }),
    addAttempt: createGather({ maxItems, run: addAllAttempts, mayBeOfOne: isRefusal }),
    async updateOne({ filter, update }) {
      const { matchedCount } = await notifications.updateOne(filter, update, { writeConcern, ...deadline(deadlineMs) });
      return matchedCount === 1;
    },
  };
}

/** The update that gives each record its own attempt, and what follows from it; it leaves alone what is not as it was read. */
function toAddAttempts(orders: readonly AttemptOrder[]): Document[] {
  const changes = orders.map(({ known, attempt, update }) => ({
    is: { id: known._id, fence: known.fence, receiptCount: known.receiptCount, attempts: known.attempts.length },
    set: { ...update.$set, ...Object.fromEntries(Object.keys(update.$unset).map((field) => [field, null])) },
    attempt,
  }));
  const is = { id: '$_id', fence: '$fence', receiptCount: '$receiptCount', attempts: { $size: '$attempts' } };
  const own = { $filter: { input: { $literal: changes }, as: 'one', cond: { $eq: ['$$one.is', is] } } };
  const attempts = { $concatArrays: ['$attempts', ['$$this.attempt']] };
  const changed = { $mergeObjects: ['$$value', '$$this.set', { attempts }] };
  return [
    { $replaceWith: { $reduce: { input: own, initialValue: '$$ROOT', in: changed } } },
    { $set: Object.fromEntries(unsettled.map((field) => [field, { $ifNull: [`$${field}`, '$$REMOVE'] }])) },
  ];
}

/** Places of those that were there already. @throws the error where anything else is wrong, or not all is told */
function readDuplicates(error: unknown, count: number): ReadonlySet<number> {
  if (!(error instanceof MongoBulkWriteError)) throw error;
  const failures = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  const isAllTold = failures.length > 0 && failures.length + error.result.insertedCount === count;
  const isMajority = error.result.getWriteConcernError() === undefined;
  if (!isAllTold || !isMajority || failures.some(({ code }) => code !== duplicateKey)) throw error;
  return new Set(failures.map(({ index }) => index));
}
