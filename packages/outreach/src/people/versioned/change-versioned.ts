import { AppError } from '@hushryd/platform/errors/app-error';
import { mongoOutcome } from '@hushryd/platform/mongo/deadline';
import type { VersionedDocument, VersionedStore } from './versioned-store.ts';

/** Whoever keeps copies of the document; `createVersionedCache` is one. */
export interface CopyKeeper {
  beginChange(id: string, version: number): Promise<void>;
  settle(id: string): Promise<void>;
}

/** What a change makes of a document, undefined where it already is as asked (a retry). @throws AppError where it does not allow it */
export type Decide<Document extends VersionedDocument> = (
  current: Document | null,
) => Omit<Document, keyof VersionedDocument> | undefined;

const maxAttempts = 5;

const noCopies: CopyKeeper = { beginChange: async () => undefined, settle: async () => undefined };

/**
 * Change a document: read it, decide, tell whoever keeps copies, write the next version on condition that nobody was faster, else decide
 * anew. When it returns, no copy that is older than the change can be read any more.
 *
 * A write without an answer has an unknown outcome; the next round reads by id and sees whether it was applied. Applied after that, its
 * condition no longer holds. A repeated request finds the document as asked and settles the copies again, which heals what failed the first
 * time.
 *
 * @returns the document as it is now; null where there was none and none was asked for
 * @throws AppError whatever `decide` throws; `database_unavailable`; `redis_unavailable` where the copies could not be reached: nothing was
 *   written if that was so from the beginning, else the same has to be asked again before it counts
 * Cost: one read and one majority write; with copies one read and three script calls more.
 */
export async function changeVersioned<Document extends VersionedDocument>({
  store,
  copies = noCopies,
  id,
  decide,
  now = Date.now,
}: {
  store: Pick<VersionedStore<Document>, 'find' | 'replace'>;
  copies?: CopyKeeper | undefined;
  id: string;
  decide: Decide<Document>;
  now?: (() => number) | undefined;
}): Promise<Document | null> {
  let wasUnanswered = false;
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const current = await store.find(id);
    const fields = decide(current);
    if (fields === undefined) {
      await copies.settle(id);
      return current;
    }
    const version = (current?.version ?? 0) + 1;
    const next = { ...fields, _id: id, version, changedAt: new Date(now()) } as Document;
    await copies.beginChange(id, version);
    const outcome = await store.replace(current, next).catch((error: unknown) => {
      if (wasUnanswered || mongoOutcome(error) !== 'unknown') throw error;
      wasUnanswered = true;
      return 'unknown' as const;
    });
    if (outcome === 'replaced') {
      await copies.settle(id);
      return next;
    }
  }
  throw new AppError('database_unavailable', { detail: 'others changed it faster than it could be written' });
}
