import type { MissingFixes } from '@hushryd/tracking/history/raise-durable';
import { LRUCache } from 'lru-cache';

const askAgainAfterMs = 5000;
const maxPhones = 100_000;

/**
 * Asks phones for fixes that never arrived, each at most every 5 s: the answer takes a round trip and a flush, and a phone that is
 * offline sends everything by itself when it comes back.
 */
export function createResendRequests({
  publish,
  now = () => performance.now(),
}: {
  publish: (partition: number, missing: readonly MissingFixes[]) => Promise<void>;
  now?: () => number;
}): (partition: number, missing: readonly MissingFixes[]) => Promise<void> {
  const askedAtMs = new LRUCache<string, number>({ max: maxPhones });

  return async (partition, missing) => {
    const nowMs = now();
    const isDue = ({ driverId, run }: MissingFixes) =>
      nowMs - (askedAtMs.get(`${driverId}:${run}`) ?? Number.NEGATIVE_INFINITY) >= askAgainAfterMs;
    const due = missing.filter(isDue);
    if (due.length === 0) return;
    for (const { driverId, run } of due) askedAtMs.set(`${driverId}:${run}`, nowMs);
    await publish(partition, due);
  };
}
