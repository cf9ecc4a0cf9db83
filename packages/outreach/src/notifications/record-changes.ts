import type { NotificationDocument, StoredReceipt } from './notification-document.ts';
import { type Settled, settle } from './settle.ts';

/** A change of one record, as an update and as what is there afterwards. */
export interface RecordChange {
  readonly update: { readonly $set: Partial<NotificationDocument>; readonly $unset: Unset };
  readonly after: NotificationDocument;
}

/** What a record may lack, as what has become of it is settled. */
export const unsettled = ['nextAt', 'isOpen', 'endedAt', 'reason'] as const;

type Unset = { [Field in (typeof unsettled)[number]]?: '' };

/** Makes a record what was settled, and ends it where nothing is left to do. Pure. */
export function toChange(
  known: NotificationDocument,
  { state, nextAt, reason, deliveredAt }: Settled,
  nowMs: number,
  more: Partial<NotificationDocument>,
): RecordChange {
  const set: Partial<NotificationDocument> = {
    ...more,
    state,
    ...(nextAt === undefined ? { endedAt: new Date(nowMs) } : { nextAt, isOpen: true }),
    ...(reason !== undefined && { reason }),
    ...(deliveredAt !== undefined && { deliveredAt }),
  };
  const unset: Unset = {
    ...(nextAt === undefined ? { nextAt: '', isOpen: '' } : { endedAt: '' }),
    ...(reason === undefined && { reason: '' }),
  };
  const after = { ...known, ...set };
  for (const field of Object.keys(unset) as (keyof Unset)[]) delete after[field];
  return { update: { $set: set, $unset: unset }, after };
}

const ended = new Set<StoredReceipt['status'] | undefined>(['failed', 'busy', 'no-answer']);

/** What a receipt changes; undefined where it only has to be kept. Pure. */
export function settleReceipt(
  before: NotificationDocument,
  receipts: NotificationDocument['receipts'],
  number: string,
  options: { receiptWaitMs: number; nowMs: number },
): Settled | undefined {
  const settled = settle({ ...before, receipts }, options);
  if (settled.state === 'delivered') return before.state === 'delivered' ? undefined : settled;
  // Whoever has gone on to another provider does not go back; what has ended badly has ended.
  const isLatest = before.attempts.at(-1)?.number === number;
  return isLatest && before.state === 'accepted' && ended.has(receipts[number]?.status) ? settled : undefined;
}
