import { deadline, isDuplicateKey, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Collection, Db, Filter, OptionalUnlessRequiredId } from 'mongodb';

/** One document a person, whose version rises by one with every change and never falls. */
export interface VersionedDocument {
  _id: string;
  version: number;
  changedAt: Date;
}

export interface VersionedStore<Document extends VersionedDocument> {
  /** @param withinMs instead of the store's own deadline */
  find(id: string, withinMs?: number): Promise<Document | null>;
  /** Write `next` if what is stored is still `current`; null where there is nothing yet. */
  replace(current: Document | null, next: Document): Promise<'replaced' | 'changed_meanwhile'>;
  readonly collection: Collection<Document>;
}

/**
 * Documents with versions in MongoDB. Writes are acknowledged by a majority and journalled; reads see only what a majority has.
 *
 * @param deadlineMs for each operation
 * @throws AppError `database_unavailable` from every function; a write that threw it with outcome `unknown` may have been applied, or may
 *   still be: change-versioned.ts reads before it tries again
 */
export function createVersionedStore<Document extends VersionedDocument>({
  db,
  name,
  deadlineMs,
}: {
  db: Db;
  name: string;
  deadlineMs: number;
}): VersionedStore<Document> {
  const collection = db.collection<Document>(name, { readConcern: { level: 'majority' } });
  const writeConcern = { w: 'majority', journal: true } as const;

  return {
    collection,
    async find(id, withinMs = deadlineMs) {
      try {
        return (await collection.findOne({ _id: id } as Filter<Document>, deadline(withinMs))) as Document | null;
      } catch (error) {
        throw toMongoError(error);
      }
    },
    async replace(current, next) {
      try {
        if (current === null) {
          const document = next as OptionalUnlessRequiredId<Document>;
          await collection.insertOne(document, { writeConcern, ...deadline(deadlineMs) });
          return 'replaced';
        }
        const filter = { _id: current._id, version: current.version } as Filter<Document>;
        const result = await collection.replaceOne(filter, next as never, { writeConcern, ...deadline(deadlineMs) });
        return result.matchedCount === 1 ? 'replaced' : 'changed_meanwhile';
      } catch (error) {
        if (isDuplicateKey(error)) return 'changed_meanwhile';
        throw toMongoError(error);
      }
    },
  };
}
