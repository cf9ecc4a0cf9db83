import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db } from 'mongodb';

/** Apart from the settings, which are replaced whole: a try must not be lost to a change of language. */
export const pinTriesCollection: CollectionDeclaration = { name: 'pin_tries', indexes: [] };

interface TriesDocument {
  _id: string;
  /** Since the last right one. */
  taken: number;
}

export interface PinTries {
  /** Takes one, on all nodes together. @returns false where five were taken and none was right */
  take(userId: string): Promise<boolean>;
  giveBack(userId: string): Promise<void>;
}

export const maxPinTries = 5;
const maxAttempts = 5;

/** @throws AppError `database_unavailable` from every function; a try whose outcome is unknown counts as taken */
export function createPinTries({ db, deadlineMs = 2_500 }: { db: Db; deadlineMs?: number }): PinTries {
  const tries = db.collection<TriesDocument>('pin_tries', { readConcern: { level: 'majority' } });
  const write = () => ({ writeConcern: { w: 'majority', journal: true } as const, ...deadline(deadlineMs) });

  return {
    async take(userId) {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        try {
          const filter = { _id: userId, taken: { $lt: maxPinTries } };
          await tries.updateOne(filter, { $inc: { taken: 1 } }, { upsert: true, ...write() });
          return true;
        } catch (error) {
          // There is one that the filter does not find, or another first try was faster.
          if (!isDuplicateKey(error)) throw toMongoError(error);
        }
        const stored = await tries.findOne({ _id: userId }, deadline(deadlineMs)).catch((error: unknown) => {
          throw toMongoError(error);
        });
        if ((stored?.taken ?? 0) >= maxPinTries) return false;
      }
      return false;
    },
    async giveBack(userId) {
      try {
        await tries.deleteOne({ _id: userId }, write());
      } catch (error) {
        throw toMongoError(error);
      }
    },
  };
}
