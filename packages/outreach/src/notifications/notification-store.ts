import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, Filter } from 'mongodb';
import type { NotificationDocument, NotificationLane, StoredAttempt, StoredReceipt } from './notification-document.ts';
import { settleReceipt, toChange } from './record-changes.ts';
import { createRecordWrites } from './record-writes.ts';
import { type Settled, settle } from './settle.ts';

export const notificationsCollection: CollectionDeclaration = {
  name: 'notifications',
  indexes: [
    // What the sweepers look for. The embedded engine uses a partial index for its equality alone, and reads all that is open where
    // equalities and one range of the query are not the key from its beginning.
    { key: { isOpen: 1, lane: 1, nextAt: 1 }, name: 'due_in_lane', partialFilterExpression: { isOpen: true } },
    // Staff lists, newest first.
    { key: { state: 1, createdAt: -1, _id: 1 }, name: 'newest_by_state' },
    // Receipts of vendors that give nothing else back.
    { key: { 'attempts.providerMessageId': 1 }, name: 'provider_message', sparse: true },
    { key: { purgeAt: 1 }, name: 'purge', expireAfterSeconds: 0 },
  ],
};

/** Another process took the record up meanwhile; whatever this one does from now on is not wanted. */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';
}

/** Where a job has to be left for a record. */
export interface DueNotification {
  readonly recordId: string;
  readonly lane: NotificationLane;
  readonly step: number;
  readonly correlationId?: string | undefined;
}

export interface NotificationStore {
  /** `exists`: it was recorded before, also by a first try whose answer was lost. */
  insert(document: NotificationDocument): Promise<'inserted' | 'exists'>;
  findById(recordId: string): Promise<NotificationDocument | null>;
  findByMessage(message: {
    provider: string;
    providerMessageId: string;
  }): Promise<{ recordId: string; number: string } | null>;
  /** Alone with it for `leaseMs`. @returns null where nothing is due, or somebody else has it */
  claim(recordId: string, options: { now: () => number; leaseMs: number }): Promise<NotificationDocument | null>;
  /**
   * Keeps an attempt and what follows from it, and renews the lease.
   * @throws ClaimLostError
   */
  addAttempt(
    claimed: NotificationDocument,
    attempt: StoredAttempt,
    options: { nowMs: number; leaseMs: number; receiptWaitMs: number },
  ): Promise<NotificationDocument>;
  /** Gives it back as it shall be. @throws ClaimLostError */
  release(claimed: NotificationDocument, changes: Release, nowMs: number): Promise<NotificationDocument>;
  /**
   * Keeps a receipt, where it tells something new, and what follows from it.
   *
   * @param options.isNews asked of what is known of this attempt, and of the record
   * @returns the record before and after; null where there is none, or the receipt is no news
   */
  addReceipt(
    message: { recordId: string; number: string },
    receipt: StoredReceipt,
    options: {
      nowMs: number;
      receiptWaitMs: number;
      isNews: (known: StoredReceipt | undefined, document: NotificationDocument) => boolean;
    },
  ): Promise<{ before: NotificationDocument; after: NotificationDocument } | null>;
  /** What is due in a lane and nobody has, the longest due first. What somebody has counts for the limit. */
  findDue(query: { lane: NotificationLane; nowMs: number; limit: number }): Promise<DueNotification[]>;
  find(filter: Filter<NotificationDocument>, options: { limit: number }): Promise<NotificationDocument[]>;
  /** All providers once more, from now on. @returns null where it has not failed */
  redrive(recordId: string, options: { nowMs: number; expiresAt: Date }): Promise<NotificationDocument | null>;
}

/** `resetStarts`: something came of it, so it is no poison. */
export type Release = Settled & {
  readonly round?: number;
  readonly roundFrom?: number;
  readonly resetStarts?: boolean;
};

/** Receipts of one record that come at the same time. */
const maxTries = 8;

/**
 * Notifications in MongoDB: what shall be sent, what was tried, what became of it. The truth beside which a job is a hint. Writes are
 * acknowledged by a majority and journalled. Every time that is handed in is the database's (mongo/database-clock), or leases mean nothing.
 *
 * @param deadlineMs for each operation
 * @throws AppError `database_unavailable` from every function; the outcome is unknown then, and the same may be asked again
 */
export function createNotificationStore({
  db,
  deadlineMs = 5_000,
}: {
  db: Db;
  deadlineMs?: number;
}): NotificationStore {
  const notifications = db.collection<NotificationDocument>('notifications', { readConcern: { level: 'majority' } });

  const writes = createRecordWrites({ notifications, deadlineMs });
  const findById = (recordId: string) => attempt(() => notifications.findOne({ _id: recordId }, deadline(deadlineMs)));

  return {
    insert: (document) => attempt(() => writes.insert(document)),
    findById,
    async findByMessage({ provider, providerMessageId }) {
      const found = await attempt(() =>
        notifications.findOne({ 'attempts.providerMessageId': providerMessageId }, deadline(deadlineMs)),
      );
      const made = found?.attempts.find(
        (one) => one.provider === provider && one.providerMessageId === providerMessageId,
      );
      return found === null || made === undefined ? null : { recordId: found._id, number: made.number };
    },
    claim: (recordId, options) => attempt(() => writes.claim({ recordId, ...options })),
    async addAttempt(claimed, made, { nowMs, leaseMs, receiptWaitMs }) {
      let known = claimed;
      for (let tries = 1; tries <= maxTries; tries += 1) {
        const attempts = [...known.attempts, made];
        const settled = settle({ ...known, attempts }, { receiptWaitMs, nowMs });
        const leaseUntil = new Date(settled.state === 'queued' ? nowMs + leaseMs : 0);
        const { update, after } = toChange(known, settled, nowMs, { leaseUntil, starts: 0 });
        const order = { known, attempt: made, update };
        if (await attempt(() => writes.addAttempt(order))) return { ...after, attempts };
        known = await readClaimed(claimed);
        // Written the first time, and that was not told.
        if (known.attempts.some(({ number }) => number === made.number)) return known;
      }
      throw new ClaimLostError();
    },
    async release(claimed, { round, roundFrom, resetStarts = true, ...settled }, nowMs) {
      let known = claimed;
      for (let tries = 1; tries <= maxTries; tries += 1) {
        const { update, after } = toChange(known, settled, nowMs, {
          leaseUntil: new Date(0),
          ...(resetStarts && { starts: 0 }),
          ...(round !== undefined && { round }),
          ...(roundFrom !== undefined && { roundFrom }),
        });
        const filter = sameAs(known);
        if (await attempt(() => writes.updateOne({ filter, update }))) return after;
        known = await readClaimed(claimed);
        if (known.state === 'delivered') return known;
      }
      throw new ClaimLostError();
    },
    async addReceipt({ recordId, number }, receipt, { nowMs, receiptWaitMs, isNews }) {
      for (let tries = 1; tries <= maxTries; tries += 1) {
        const before = await findById(recordId);
        if (before === null || !isNews(before.receipts[number], before)) return null;
        const receipts = { ...before.receipts, [number]: receipt };
        const settled = settleReceipt(before, receipts, number, { receiptWaitMs, nowMs });
        const kept = { [`receipts.${number}`]: receipt };
        const change = settled && toChange(before, settled, nowMs, {});
        const update = { ...change?.update, $set: { ...change?.update.$set, ...kept }, $inc: { receiptCount: 1 } };
        const filter = sameAs(before);
        if (!(await attempt(() => writes.updateOne({ filter, update })))) continue;
        return { before, after: { ...(change?.after ?? before), receipts, receiptCount: before.receiptCount + 1 } };
      }
      throw toMongoError(new Error('receipts came faster than they could be written'));
    },
    async findDue({ lane, nowMs, limit }) {
      const found = await attempt(() =>
        notifications
          .find<Pick<NotificationDocument, '_id' | 'leaseUntil' | 'fence' | 'correlationId'>>(
            { isOpen: true, lane, nextAt: { $lte: new Date(nowMs) } },
            {
              projection: { leaseUntil: 1, fence: 1, correlationId: 1 },
              sort: { nextAt: 1 },
              limit,
              ...deadline(deadlineMs),
            },
          )
          .toArray(),
      );
      const isFree = ({ leaseUntil }: Pick<NotificationDocument, 'leaseUntil'>) => leaseUntil.getTime() <= nowMs;
      return found
        .filter(isFree)
        .map(({ _id: recordId, fence: step, correlationId }) => ({ recordId, lane, step, correlationId }));
    },
    find: (filter, { limit }) =>
      attempt(() =>
        notifications.find(filter, { sort: { createdAt: -1, _id: 1 }, limit, ...deadline(deadlineMs) }).toArray(),
      ),
    async redrive(recordId, { nowMs, expiresAt }) {
      const known = await findById(recordId);
      if (known === null || known.state !== 'failed') return null;
      const changes: Partial<NotificationDocument> = {
        state: 'queued',
        isOpen: true,
        nextAt: new Date(nowMs),
        expiresAt,
        leaseUntil: new Date(0),
        starts: 0,
        round: 0,
        roundFrom: known.attempts.length,
      };
      const filter = { _id: recordId, state: 'failed' as const, fence: known.fence };
      const update = { $set: changes, $unset: { reason: '' as const, endedAt: '' as const }, $inc: { fence: 1 } };
      if (!(await attempt(() => writes.updateOne({ filter, update })))) return null;
      const { reason: _, endedAt: __, ...rest } = known;
      return { ...rest, ...changes, fence: known.fence + 1 };
    },
  };

  async function readClaimed(claimed: NotificationDocument): Promise<NotificationDocument> {
    const known = await findById(claimed._id);
    if (known === null || known.fence !== claimed.fence) throw new ClaimLostError();
    return known;
  }
}

/** As it was read: neither taken up since, nor told of. */
const sameAs = ({ _id, fence, receiptCount }: NotificationDocument): Filter<NotificationDocument> => ({
  _id,
  fence,
  receiptCount,
});

async function attempt<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw toMongoError(error);
  }
}
