import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db } from 'mongodb';

export const oneTimeCodesCollection: CollectionDeclaration = {
  name: 'one_time_codes',
  indexes: [{ key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 }],
};

/** The newest code for one purpose, as the collection `one_time_codes` holds it. The code is not in it. */
export interface ChallengeDocument {
  _id: string;
  /** Blind index of where it was sent. */
  target: string;
  nonce: string;
  hash: string;
  triesLeft: number;
  sentAt: Date;
  expiresAt: Date;
}

export interface ChallengeStore {
  /** Replaces the one before. @returns the standing one where that was sent after `notSince` */
  replace(next: ChallengeDocument, notSince: Date): Promise<'replaced' | ChallengeDocument>;
  /** Takes one try, before anything is compared. @returns null where there is none to take */
  takeTry(subject: string, target: string, now: Date): Promise<ChallengeDocument | null>;
  find(subject: string): Promise<ChallengeDocument | null>;
  forget(subject: string, nonce?: string): Promise<void>;
}

const maxAttempts = 5;

/** @throws AppError `database_unavailable` from every function; a try whose outcome is unknown counts as taken */
export function createChallengeStore({ db, deadlineMs }: { db: Db; deadlineMs: number }): ChallengeStore {
  const challenges = db.collection<ChallengeDocument>('one_time_codes', { readConcern: { level: 'majority' } });
  const write = () => ({ writeConcern: { w: 'majority', journal: true } as const, ...deadline(deadlineMs) });

  async function replaceOnce(next: ChallengeDocument, notSince: Date): Promise<ChallengeDocument | null> {
    const isDue = { $lte: [{ $ifNull: ['$sentAt', new Date(0)] }, notSince] };
    const set = Object.fromEntries(
      Object.entries(next)
        .filter(([name]) => name !== '_id')
        .map(([name, value]) => [name, { $cond: [isDue, { $literal: value }, `$${name}`] }]),
    );
    try {
      const options = { upsert: true, returnDocument: 'after', ...write() } as const;
      return await challenges.findOneAndUpdate({ _id: next._id }, [{ $set: set }], options);
    } catch (error) {
      // Two first codes at once: the slower one is an update the next time.
      if (isDuplicateKey(error)) return null;
      throw toMongoError(error);
    }
  }

  return {
    async replace(next, notSince) {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const stored = await replaceOnce(next, notSince);
        if (stored !== null) return stored.nonce === next.nonce ? 'replaced' : stored;
      }
      return next;
    },
    async takeTry(subject, target, now) {
      const filter = { _id: subject, target, triesLeft: { $gt: 0 }, expiresAt: { $gt: now } };
      try {
        const options = { returnDocument: 'after', ...write() } as const;
        return await challenges.findOneAndUpdate(filter, { $inc: { triesLeft: -1 } }, options);
      } catch (error) {
        throw toMongoError(error);
      }
    },
    async find(subject) {
      try {
        return await challenges.findOne({ _id: subject }, deadline(deadlineMs));
      } catch (error) {
        throw toMongoError(error);
      }
    },
    async forget(subject, nonce) {
      try {
        await challenges.deleteOne({ _id: subject, ...(nonce !== undefined && { nonce }) }, write());
      } catch (error) {
        throw toMongoError(error);
      }
    },
  };
}
