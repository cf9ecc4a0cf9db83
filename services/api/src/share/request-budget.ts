import { LRUCache } from 'lru-cache';

/** @returns milliseconds until there is room again; 0: go on */
export type TakeRequest = (key: string) => number;

const maxKeys = 20_000;

/**
 * So many requests a key and minute, in fixed minutes, on this node. Bounded: the 20,000 keys that asked last; who is forgotten begins anew.
 */
export function createRequestBudget({
  perMinute,
  now = Date.now,
}: {
  perMinute: number;
  now?: () => number;
}): TakeRequest {
  const windows = new LRUCache<string, { minute: number; count: number }>({ max: maxKeys });
  return (key) => {
    const nowMs = now();
    const minute = Math.floor(nowMs / 60_000);
    const window = windows.get(key);
    if (window === undefined || window.minute !== minute) {
      windows.set(key, { minute, count: 1 });
      return 0;
    }
    window.count += 1;
    return window.count <= perMinute ? 0 : (minute + 1) * 60_000 - nowMs;
  };
}
