import { randomUUID } from 'node:crypto';
import { deadline } from '@hushryd/platform/mongo/deadline';
import { type Collection, type Filter, MongoBulkWriteError, type UpdateFilter } from 'mongodb';
import { createGather, type Gather } from './gather.ts';
import type { NotificationDocument } from './notification-document.ts';

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

/** What a process writes of many records at the same time, gathered. */
export interface RecordWrites {
  /** `exists`: there is one of this id. */
  insert: Gather<NotificationDocument, Inserted>;
  /** @returns null where nothing is due, or somebody else has it */
  claim: Gather<ClaimOrder, NotificationDocument | null>;
  /** @returns false where it did not match, or where that cannot be said: the record tells */
  update: Gather<Update, boolean>;
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

  async function claimAll(orders: readonly ClaimOrder[]): Promise<readonly (NotificationDocument | null)[]> {
    const batch = randomUUID();
    const claims = orders.map((order, place) => ({ ...order, claim: `${batch}-${place}` }));
    const operations = claims.map(({ recordId, now, leaseMs, claim }) => {
      // The lease begins when it is asked for, not when the wait for a turn does.
      const nowMs = now();
      return {
        updateOne: {
          filter: { _id: recordId, nextAt: { $lte: new Date(nowMs) }, leaseUntil: { $lte: new Date(nowMs) } },
          update: { $set: { leaseUntil: new Date(nowMs + leaseMs), claim }, $inc: { fence: 1, starts: 1 } },
        },
      };
    });
    const { matchedCount } = await notifications.bulkWrite(operations, options());
    if (matchedCount === 0) return orders.map(() => null);
    const ids = orders.map(({ recordId }) => recordId);
    const found = await notifications.find({ _id: { $in: ids } }, deadline(deadlineMs)).toArray();
    const taken = new Map(found.map((document) => [document.claim, document]));
    return claims.map(({ claim }) => taken.get(claim) ?? null);
  }

  async function updateAll(updates: readonly Update[]): Promise<readonly boolean[]> {
    const { matchedCount } = await notifications.bulkWrite(
      updates.map((updateOne) => ({ updateOne })),
      options(),
    );
    // Which of them did not match is not told.
    return updates.map(() => matchedCount === updates.length);
  }

  return {
    insert: createGather({ maxItems, run: insertAll }),
    claim: createGather({ maxItems, run: claimAll }),
    update: createGather({ maxItems, run: updateAll }),
    async updateOne({ filter, update }) {
      const { matchedCount } = await notifications.updateOne(filter, update, { writeConcern, ...deadline(deadlineMs) });
      return matchedCount === 1;
    },
  };
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
