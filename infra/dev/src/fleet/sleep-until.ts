import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves at the wall time given, at once when that is past. @throws AbortError when the signal fires before */
export async function sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const delayMs = atMs - Date.now();
  if (delayMs > 0) await sleep(delayMs, undefined, { signal });
}

/** Run for each item, at most `limit` at a time, in order. The first failure ends it. */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries();
  const lane = async () => {
    for (const [index, item] of entries) await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
}
