import type { PinHasher } from './pin-hashes.ts';
import type { PinTries } from './pin-tries.ts';
import type { SafetyStore } from './safety-store.ts';

/**
 * `wrong` also where the person has no PINs; `locked` after five wrong ones, until an operator takes the PINs away; `late`: one of the two,
 * and they were set too late to count.
 */
export type PinVerdict = 'cancel' | 'duress' | 'wrong' | 'locked' | 'late';

/** @param options.setUntil PINs that were set or changed after this do not count */
export type VerifyPin = (userId: string, pin: string, options?: { setUntil?: Date }) => Promise<PinVerdict>;

export interface PinWork {
  store: SafetyStore;
  tries: PinTries;
  hasher: PinHasher;
}

/**
 * Which of a person's two PINs this is, if any. A try is taken before it is compared, so that guesses on several nodes at once are five
 * together; the right one, either of them, gives them back. Both are compared in the same time.
 *
 * @throws AppError `database_unavailable`: nothing can be said then, and an alert goes on
 * Cost: some 30 ms in libuv's pool, one read and two majority writes.
 */
export function createVerifyPin({ store, tries, hasher }: PinWork): VerifyPin {
  return async (userId, pin, { setUntil } = {}) => {
    const settings = await store.find(userId);
    // Nobody is locked out before there is anything to guess.
    if (settings?.pins !== undefined && !(await tries.take(userId))) return 'locked';
    const verdict = await hasher.compare(settings?.pins, { userId, pin });
    if (verdict === 'neither') return 'wrong';
    await tries.giveBack(userId);
    const setAt = settings?.pins?.setAt;
    return setAt !== undefined && setUntil !== undefined && setAt > setUntil ? 'late' : verdict;
  };
}
