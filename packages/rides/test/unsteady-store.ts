import { AppError } from '@hushryd/platform/errors/app-error';
import type { TripStore } from '../src/trips/trip-store.ts';

/** What may happen to a write: answered, answer lost, never arrived, or applied after the caller has given up. */
export const mishaps = ['none', 'answer_lost', 'never_arrived', 'applied_late'] as const;
export type Mishap = (typeof mishaps)[number];

/** A store whose writes meet with these mishaps in turn, then with none. */
export function createUnsteadyStore(
  store: TripStore,
  plan: readonly Mishap[],
): TripStore & { settled(): Promise<void> } {
  const rest = [...plan];
  const late: Promise<unknown>[] = [];

  async function meet<Result>(write: () => Promise<Result>): Promise<Result> {
    const mishap = rest.shift() ?? 'none';
    if (mishap === 'none') return write();
    if (mishap === 'answer_lost') await write();
    if (mishap === 'applied_late') late.push(write().catch(() => undefined));
    throw new AppError('database_unavailable', { detail: 'unknown' });
  }

  return {
    ...store,
    insert: (document) => meet(() => store.insert(document)),
    replace: (current, next) => meet(() => store.replace(current, next)),
    async settled() {
      await Promise.all(late);
    },
  };
}
