import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { ProviderName } from '@hushryd/providers/provider';
import type { Receipt } from '@hushryd/providers/receipts/receipt';
import type { Db } from 'mongodb';

const keepSeconds = 7 * 86_400;

export const webhookEventsCollection: CollectionDeclaration = {
  name: 'webhook_events',
  indexes: [
    // For so long a repetition is known as one. Source: reliability F31.
    { key: { receivedAt: 1 }, name: 'expiry', expireAfterSeconds: keepSeconds },
    { key: { isPending: 1, receivedAt: 1 }, name: 'pending', partialFilterExpression: { isPending: true } },
  ],
};

/** A vendor's fact, kept before the vendor hears that it was taken. Holds no address. */
export interface WebhookEvent {
  /** Provider and event: the same fact twice is one document. */
  _id: string;
  receipt: Receipt;
  receivedAt: Date;
  /** There until it has had its effect. */
  isPending?: true;
}

export interface WebhookStore {
  /**
   * @returns `pending` where it is new, or was kept and has had no effect yet; `done` for a repetition. With it the receipt as it was kept the
   *   first time: a repetition may say something else where the vendor does not sign what it says
   */
  keep(receipt: Receipt, nowMs: number): Promise<{ is: 'pending' | 'done'; receipt: Receipt }>;
  /** It has had its effect. */
  settle(receipt: Pick<Receipt, 'provider' | 'eventId'>): Promise<void>;
  /** Kept before, and still without effect. */
  findPending(query: { beforeMs: number; limit: number }): Promise<Receipt[]>;
}

const eventKey = ({ provider, eventId }: { provider: ProviderName; eventId: string }): string =>
  `${provider}:${eventId}`;

/** @throws AppError `database_unavailable` from every function: the vendor, who hears no 2xx then, comes again */
export function createWebhookStore({ db, deadlineMs = 5_000 }: { db: Db; deadlineMs?: number }): WebhookStore {
  const events = db.collection<WebhookEvent>('webhook_events', { readConcern: { level: 'majority' } });
  const writeConcern = { w: 'majority', journal: true } as const;

  return {
    async keep(receipt, nowMs) {
      const _id = eventKey(receipt);
      const now = new Date(nowMs);
      try {
        await events.insertOne(
          { _id, receipt, receivedAt: now, isPending: true },
          { writeConcern, ...deadline(deadlineMs) },
        );
        return { is: 'pending', receipt };
      } catch (error) {
        if (!isDuplicateKey(error)) throw toMongoError(error);
      }
      try {
        const known = await events.findOne({ _id }, deadline(deadlineMs));
        if (known === null) return { is: 'done', receipt };
        return { is: known.isPending === undefined ? 'done' : 'pending', receipt: known.receipt };
      } catch (error) {
        throw toMongoError(error);
      }
    },
    async settle(receipt) {
      try {
        await events.updateOne(
          { _id: eventKey(receipt) },
          { $unset: { isPending: '' } },
          { writeConcern, ...deadline(deadlineMs) },
        );
      } catch (error) {
        throw toMongoError(error);
      }
    },
    async findPending({ beforeMs, limit }) {
      try {
        const found = await events
          .find(
            { isPending: true, receivedAt: { $lte: new Date(beforeMs) } },
            { sort: { receivedAt: 1 }, limit, ...deadline(deadlineMs) },
          )
          .toArray();
        return found.map(({ receipt }) => receipt);
      } catch (error) {
        throw toMongoError(error);
      }
    },
  };
}
