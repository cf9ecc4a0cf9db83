import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, Document } from 'mongodb';

export const codeBudgetsCollection: CollectionDeclaration = {
  name: 'code_budgets',
  indexes: [{ key: { expiresAt: 1 }, name: 'expiry', expireAfterSeconds: 0 }],
};

/** When codes were sent for one person, or to one number, within the last day. */
interface BudgetDocument {
  _id: string;
  sentAt: Date[];
  wasFull: boolean;
  expiresAt: Date;
}

export interface CodeBudgets {
  /** @returns false where as many were sent as may be; counted for every name that had room */
  take(names: readonly string[], now: Date): Promise<boolean>;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const maxAttempts = 5;

/**
 * How many codes are sent: by person, so that nobody makes us send many, and by number, so that nobody is sent many. Counted on all nodes
 * together, in one atomic update each.
 *
 * @throws AppError `database_unavailable`
 */
export function createCodeBudgets({
  db,
  deadlineMs,
  limits,
}: {
  db: Db;
  deadlineMs: number;
  limits: { perHour: number; perDay: number };
}): CodeBudgets {
  const budgets = db.collection<BudgetDocument>('code_budgets');

  async function takeOne(name: string, now: Date): Promise<boolean> {
    const update = countIn(now, limits);
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      try {
        const stored = await budgets.findOneAndUpdate({ _id: name }, update, {
          upsert: true,
          returnDocument: 'after',
          writeConcern: { w: 'majority', journal: true },
          ...deadline(deadlineMs),
        });
        if (stored !== null) return !stored.wasFull;
      } catch (error) {
        if (!isDuplicateKey(error)) throw toMongoError(error);
      }
    }
    return false;
  }

  return {
    async take(names, now) {
      for (const name of names) if (!(await takeOne(name, now))) return false;
      return true;
    },
  };
}

function countIn(now: Date, { perHour, perDay }: { perHour: number; perDay: number }): Document[] {
  const since = (ms: number) => ({
    $filter: {
      input: { $ifNull: ['$sentAt', []] },
      cond: { $gt: ['$$this', new Date(now.getTime() - ms)] },
    },
  });
  const isFull = {
    $or: [{ $gte: [{ $size: since(hourMs) }, perHour] }, { $gte: [{ $size: since(dayMs) }, perDay] }],
  };
  return [
    { $set: { wasFull: isFull } },
    {
      $set: {
        sentAt: { $cond: ['$wasFull', since(dayMs), { $concatArrays: [since(dayMs), [now]] }] },
        expiresAt: new Date(now.getTime() + dayMs),
      },
    },
  ];
}
