import type { ReEncryptProgress } from '@hushryd/platform/crypto/re-encrypt';
import type { SealedCollection } from './sealed-collections.ts';

/** Of the run so far, in the collection it is in. */
export type RunProgress = ReEncryptProgress & { collection: string };

export interface RunResult {
  /** Documents written anew, or to be written in a dry run. */
  changed: number;
  /** Documents that no key of the ring opens. */
  unreadable: number;
  /** A whole look found nothing to write anew. */
  isComplete: boolean;
}

/** Whoever still encrypts with an older key would keep a run busy for ever. */
const maxLooks = 3;

/**
 * Bring everything that outreach seals under the current key, while the product goes on, and look again until nothing is found. See
 * `reEncryptCollection` for what may interrupt it; begun again it passes over what is done.
 *
 * @throws AppError `database_unavailable`, `redis_unavailable`; the signal's reason: run it again
 */
export async function reEncryptAll({
  collections,
  isDryRun,
  onPage = () => undefined,
  onUnreadable = () => undefined,
  pageSize,
  signal,
}: {
  collections: readonly SealedCollection[];
  isDryRun: boolean;
  onPage?: (progress: RunProgress) => unknown;
  onUnreadable?: (document: { collection: string; id: string }) => unknown;
  pageSize?: number | undefined;
  signal?: AbortSignal | undefined;
}): Promise<RunResult> {
  let changed = 0;
  for (let looks = 1; ; looks += 1) {
    const found = await lookOnce(looks === 1);
    changed += found.changed;
    const isComplete = found.changed === 0;
    if (isDryRun || isComplete || looks === maxLooks) return { changed, unreadable: found.unreadable, isComplete };
  }

  async function lookOnce(isFirst: boolean): Promise<{ changed: number; unreadable: number }> {
    const found = { changed: 0, unreadable: 0 };
    for (const { name, reEncrypt } of collections) {
      const progress = await reEncrypt({
        isDryRun,
        onPage: (page) => onPage({ ...page, collection: name }),
        onUnreadable: (id) => isFirst && onUnreadable({ collection: name, id }),
        ...(pageSize !== undefined && { pageSize }),
        signal,
      });
      found.changed += progress.changed;
      found.unreadable += progress.unreadable;
    }
    return found;
  }
}
