import type { Collection, Filter, UpdateFilter } from 'mongodb';
import { AppError } from '../errors/app-error.ts';
import { deadline, toMongoError } from '../mongo/deadline.ts';

export interface ReEncryptProgress {
  /** Documents looked at, and written anew. */
  seen: number;
  changed: number;
  /** Documents that no key of the ring opens. */
  unreadable: number;
  /** Last document that is done; going on after it leaves nothing out. */
  after: string;
}

export interface ReEncryptOptions {
  after?: string;
  pageSize?: number;
  /** Looks and counts, and writes nothing. */
  isDryRun?: boolean;
  /** Called after each page; what it keeps is where to go on. */
  onPage?: (progress: ReEncryptProgress) => unknown;
  /** Called for a document that no key opens, which stays as it is. Without it the run ends there. */
  onUnreadable?: (id: string) => unknown;
  deadlineMs?: number;
  signal?: AbortSignal | undefined;
}

const maxAttempts = 5;

/**
 * Write every document anew whose fields an older key encrypted, page by page in the order of ids, while the product goes on.
 *
 * A document that somebody changes meanwhile is read again, so no change is lost. It may end anywhere and be run again: from `after`, or
 * from the beginning, where what is done costs a read. Done is what a whole run finds nothing to change in; only then may the older key leave
 * the ring, and caches of the old text have to run out before.
 *
 * @param rewrite the fields that an older key encrypted, anew; undefined where all are under the current one
 * @param isVersioned every change of such a document raises its `version`, and so does this. Any other is written where the fields in question
 *   still are what was read, whatever happened beside them
 * @param onWritten called with each document that was written anew, for whoever caches it
 * @throws AppError `database_unavailable`; what was reported to `onPage` is done. The signal's reason. Whatever `rewrite` throws, naming no value
 * Cost: one read a page, one majority write a document under an older key.
 */
export async function reEncryptCollection<Document extends { _id: string; version?: number }>({
  collection,
  rewrite,
  isVersioned = false,
  after = '',
  pageSize = 200,
  isDryRun = false,
  onPage = () => undefined,
  onUnreadable,
  onWritten = async () => undefined,
  deadlineMs = 5_000,
  signal,
}: ReEncryptOptions & {
  collection: Collection<Document>;
  rewrite: (document: Document) => Partial<Document> | undefined | Promise<Partial<Document> | undefined>;
  isVersioned?: boolean;
  onWritten?: (document: Document) => Promise<unknown>;
}): Promise<ReEncryptProgress> {
  const progress: ReEncryptProgress = { seen: 0, changed: 0, unreadable: 0, after };
  for (;;) {
    const page = await readPage(progress.after);
    for (const document of page) {
      signal?.throwIfAborted();
      progress.seen += 1;
      await writeAnew(document);
      progress.after = document._id;
    }
    if (page.length > 0) await onPage({ ...progress });
    if (page.length < pageSize) return progress;
  }

  async function readPage(last: string): Promise<Document[]> {
    signal?.throwIfAborted();
    const filter = { _id: { $gt: last } } as Filter<Document>;
    const found = await attempt(() =>
      collection.find(filter, { sort: { _id: 1 }, limit: pageSize, ...deadline(deadlineMs) }).toArray(),
    );
    return found as Document[];
  }

  async function writeAnew(first: Document): Promise<void> {
    let document: Document | null = first;
    for (let tries = 1; tries <= maxAttempts; tries += 1) {
      const fields: Partial<Document> | undefined = document === null ? undefined : await toFields(document);
      if (document === null || fields === undefined) return;
      if (isDryRun || (await write(document, fields))) {
        progress.changed += 1;
        if (!isDryRun) await onWritten({ ...document, ...fields });
        return;
      }
      const filter = { _id: first._id } as Filter<Document>;
      document = (await attempt(() => collection.findOne(filter, deadline(deadlineMs)))) as Document | null;
    }
    throw new AppError('database_unavailable', { detail: 'a document changed faster than it could be written' });
  }

  async function toFields(document: Document): Promise<Partial<Document> | undefined> {
    try {
      return await rewrite(document);
    } catch (error) {
      if (onUnreadable === undefined || !(error instanceof AppError && error.code === 'internal')) throw error;
      progress.unreadable += 1;
      onUnreadable(document._id);
      return undefined;
    }
  }

  async function write(document: Document, fields: Partial<Document>): Promise<boolean> {
    const standing = isVersioned ? { version: document.version } : asRead(document, fields);
    const change = { $set: fields, ...(isVersioned && { $inc: { version: 1 } }) } as unknown as UpdateFilter<Document>;
    const result = await attempt(() =>
      collection.updateOne({ _id: document._id, ...standing } as Filter<Document>, change, {
        writeConcern: { w: 'majority', journal: true },
        ...deadline(deadlineMs),
      }),
    );
    return result.matchedCount === 1;
  }
}

/** The fields that are to be written, with what they were; by `$eq`, since their values may look like operators. */
function asRead<Document extends object>(document: Document, fields: Partial<Document>): Record<string, unknown> {
  const names = Object.keys(fields) as (keyof Document & string)[];
  return Object.fromEntries(names.map((name) => [name, { $eq: document[name] }]));
}

async function attempt<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw toMongoError(error);
  }
}
