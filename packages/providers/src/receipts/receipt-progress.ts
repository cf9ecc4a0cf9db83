import type { ReceiptStatus } from './receipt.ts';

/** Receipts overtake one another; a later stage is never undone by an earlier one. */
const stage: Record<ReceiptStatus, number> = {
  accepted: 1,
  sent: 2,
  ringing: 2,
  answered: 3,
  delivered: 4,
  completed: 4,
  busy: 4,
  'no-answer': 4,
  failed: 4,
  read: 5,
};

/**
 * True where `next` tells something new after `current`. A repetition or a step back is nothing new; the first of two ends holds, but what
 * was read was delivered, whoever said that it failed.
 */
export function isProgress(current: ReceiptStatus | undefined, next: ReceiptStatus): boolean {
  return current === undefined || stage[next] > stage[current];
}
