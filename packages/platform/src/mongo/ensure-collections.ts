import { type Db, type IndexDescription, type IndexDescriptionInfo, MongoServerError } from 'mongodb';
import type { CollectionDeclaration } from './collection-declaration.ts';
import { describeCollectionDrift, describeIndexDrift, indexName } from './collection-drift.ts';
import { deadline, toMongoError } from './deadline.ts';

/** The database differs from the code. The message has one sentence per difference, naming collection and option. */
export class CollectionDriftError extends Error {
  override readonly name = 'CollectionDriftError';
  readonly differences: readonly string[];

  constructor(differences: readonly string[]) {
    super(
      `${differences.join('\n')}\nChange the database with collMod or dropIndexes, or the declaration; nothing was changed.`,
    );
    this.differences = differences;
  }
}

const alreadyExists = 48;
const indexConflicts = new Set([85, 86]);

/**
 * Creates what is declared and missing: collections, time series with their TTL, indexes. Reads the options back afterwards and reports
 * every difference in one error. Never changes what exists: that is a decision about stored data.
 *
 * Safe to run again, and from several processes at once. Indexes that nobody declared stay.
 *
 * @param deadlineMs for each command; building an index on a large collection takes long
 * @throws CollectionDriftError, AppError `database_unavailable`
 * Cost: three commands per collection when all is there.
 */
export async function ensureCollections(
  db: Db,
  declarations: readonly CollectionDeclaration[],
  deadlineMs = 60_000,
): Promise<void> {
  const differences: string[] = [];
  try {
    for (const declaration of declarations) {
      differences.push(...(await ensureCollection(db, declaration, deadlineMs)));
    }
  } catch (error) {
    throw toMongoError(error);
  }
  if (differences.length > 0) throw new CollectionDriftError(differences);
}

async function ensureCollection(db: Db, declaration: CollectionDeclaration, deadlineMs: number): Promise<string[]> {
  await createIfMissing(db, declaration, deadlineMs);
  // The options say what a collection is, not its type: SecantusDB lists a time series as a plain `collection`.
  const [found] = await db.listCollections({ name: declaration.name }, deadline(deadlineMs)).toArray();
  const stored = found && 'options' in found ? (found.options ?? {}) : {};
  const differences = describeCollectionDrift(declaration, stored);
  // Indexes of a collection that is another one than declared would be noise.
  if (differences.length > 0) return differences;
  return ensureIndexes(db, declaration, deadlineMs);
}

async function createIfMissing(db: Db, declaration: CollectionDeclaration, deadlineMs: number): Promise<void> {
  const { name, timeseries, options } = declaration;
  try {
    // Not createCollection: it sends the signal to the server (see deadline.ts).
    await db.command({ create: name, ...(timeseries && { timeseries }), ...options }, deadline(deadlineMs));
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === alreadyExists)) throw error;
  }
}

async function ensureIndexes(db: Db, declaration: CollectionDeclaration, deadlineMs: number): Promise<string[]> {
  const collection = db.collection(declaration.name);
  const stored = await collection.indexes(deadline(deadlineMs));
  const missing = declaration.indexes.filter((index) => !isStored(index, stored));
  const conflicts: { index: IndexDescription; reason: string }[] = [];
  for (const index of missing) {
    try {
      await collection.createIndexes([index], deadline(deadlineMs));
    } catch (error) {
      if (!(error instanceof MongoServerError && indexConflicts.has(Number(error.code)))) throw error;
      conflicts.push({ index, reason: error.message });
    }
  }
  const storedNow = missing.length > 0 ? await collection.indexes(deadline(deadlineMs)) : stored;
  const differences = describeIndexDrift(declaration, storedNow);
  for (const { index, reason } of conflicts) {
    // Another process created it in between: SecantusDB calls the same 2dsphere index a conflict (it compares without defaults).
    if (isStored(index, storedNow)) continue;
    differences.push(
      `Collection ${declaration.name}: index ${indexName(index)} conflicts with one that is there (${reason}).`,
    );
  }
  return differences;
}

function isStored(index: IndexDescription, stored: readonly IndexDescriptionInfo[]): boolean {
  return stored.some(({ name }) => name === indexName(index));
}
