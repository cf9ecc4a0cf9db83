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
}: {
  publish: (partition: number, missing: readonly MissingFixes[]) => Promise<void>;
}): (partition: number, missing: readonly MissingFixes[]) => Promise<void> {
  const asked = new LRUCache<string, true>({ max: maxPhones, ttl: askAgainAfterMs });

  return async (partition, missing) => {
    const due = missing.filter(({ driverId, run }) => !asked.has(`${driverId}:${run}`));
    if (due.length === 0) return;
    for (const { driverId, run } of due) asked.set(`${driverId}:${run}`, true);
    await publish(partition, due);
  };
}
