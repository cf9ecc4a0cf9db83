import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@hushryd/platform/errors/app-error';
import { channelOf } from '@hushryd/providers/provider';
import type { Receipt, ReceiptStatus } from '@hushryd/providers/receipts/receipt';
import { isProgress } from '@hushryd/providers/receipts/receipt-progress';
import type { OutboxEntry } from '../alerts/alert-document.ts';
import type { Taken, TakeReceipt } from '../webhooks/take-webhook.ts';
import type { AlertAttemptDocument } from './alert-attempts.ts';
import { acknowledgeKey, type KeyOutcome } from './answer-keys.ts';
import { type AlertAttempt, entryCode, readAlertAttemptId } from './attempt-id.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import type { DispatchStore } from './dispatch-store.ts';
import type { EntryChange, Told } from './entry-change.ts';
import { type GatherOutcomes, patientHoldMs } from './gather-outcomes.ts';

interface ReceiptParts {
  store: Pick<DispatchStore, 'find' | 'findAttempt' | 'findByMessage'>;
  gather: Pick<GatherOutcomes, 'add'>;
  /** Whoever is on call takes care. @returns false where somebody does already, or it is over */
  acknowledge: (alertId: string, by: string) => Promise<boolean>;
  metrics: Pick<DispatchMetrics, 'told'>;
  now?: () => number;
}

/** A receipt may overtake the write that says what it is of; after this nobody will write that any more. */
const attemptComesWithinMs = 60_000;
const lookAgainMs = 200;
/** As long as that write may be held back, and then some. */
const maxLooks = 1 + Math.ceil((patientHoldMs + 400) / lookAgainMs);

/**
 * Receipts of alerts' messages and calls. Repetitions and steps back change nothing, nor does what one company says of another one's
 * message. Whoever is on call and presses 1 acknowledges.
 *
 * @throws AppError `database_unavailable`: the vendor's word is kept, and applied later
 */
export function createTakeAlertReceipt({
  store,
  gather,
  acknowledge,
  metrics,
  now = Date.now,
}: ReceiptParts): TakeReceipt {
  async function findAttempt(receipt: Receipt) {
    const { attemptId } = receipt;
    if (attemptId === undefined) {
      const known = await store.findByMessage(receipt);
      return known === null ? undefined : { id: known._id, known };
    }
    if (readAlertAttemptId(attemptId) === undefined) return undefined;
    return { id: attemptId, known: await findStoredAttempt(store, attemptId) };
  }

  return async (receipt) => {
    const found = await findAttempt(receipt);
    if (found === undefined) return false;
    const { id, known } = found;
    if (known === null) return takeUnstored(receipt, id);
    if (known.provider !== receipt.provider) return false;
    const { digits } = receipt;
    const isAnswer = digits !== undefined && isOnCallCall(known);
    const outcome = isAnswer && (await takeKey(digits, known.alertId, known.personId ?? 'on-call'));
    await keep(receipt, known);
    return outcome || true;
  };

  /** Of somebody on call. Another key than the one is no word at all, but says that somebody listens. */
  async function takeKey(digits: string, alertId: string, by: string): Promise<KeyOutcome> {
    if (digits === acknowledgeKey) return (await acknowledge(alertId, by)) ? 'acknowledged' : 'taken';
    const alert = await store.find(alertId);
    return alert === null || alert.state === 'open' ? 'other-key' : 'taken';
  }

  /** Of an attempt that is not in the database yet, or will never be, since whoever made it has died. */
  async function takeUnstored(receipt: Receipt, id: string): Promise<Taken> {
    const read = readAlertAttemptId(id);
    const alert = read && (await store.find(read.alertId));
    const entry = alert?.outbox.find(({ entryId }) => entryCode(entryId) === read?.code);
    if (entry !== undefined && !mayBeOf(entry, read?.number, receipt)) return false;
    const isOnCall = entry !== undefined && isOnCallCall(entry);
    if (read !== undefined && receipt.digits !== undefined && isOnCall) {
      return takeKey(receipt.digits, read.alertId, 'on-call');
    }
    // What arrived has arrived. Of anything else it has to be known which attempt it is of, and while the alert itself is on its way here, of
    // everything.
    const hasArrived = resultOf(receipt.status, isOnCall) === 'arrived' && receipt.digits === undefined;
    if (hasArrived && alert !== null) {
      if (read !== undefined && entry !== undefined) await tellEntry(receipt, id, { ...read, entry });
      return true;
    }
    // A key is somebody's word, however late.
    if (receipt.digits === undefined && now() - receipt.atMs > attemptComesWithinMs) return true;
    throw new AppError('database_unavailable', { detail: 'the attempt that a receipt is of is not stored yet' });
  }

  async function keep(receipt: Receipt, found: AlertAttemptDocument): Promise<void> {
    const result = resultOf(receipt.status, isOnCallCall(found));
    if (result === undefined) return;
    const known = result === 'arrived' ? found : await awaitOutcome(found);
    if (!isProgress(known.status, receipt.status)) return;
    const attempt = { ...known, status: receipt.status, statusAt: new Date(receipt.atMs) };
    metrics.told(known.channel, receipt.provider, result);
    const change = toTold(receipt, known, result === 'failed' ? (receipt.errorClass ?? 'next') : result);
    await gather.add(known.alertId, change, [attempt], holdFor(result));
  }

  /**
   * Another process stores the attempt first, and then what the entry has come to by it. In between there is nothing yet that a failure could
   * take back: said now, it would be lost, and a mail that bounced be the last word. Of a text that several people share, who was reached is in
   * between for as long as the others are tried.
   *
   * @returns the attempt as it is then
   * @throws AppError `database_unavailable` where it is not there yet: kept, and applied later
   */
  async function awaitOutcome(attempt: AlertAttemptDocument): Promise<AlertAttemptDocument> {
    const { _id, alertId, entryId, number } = attempt;
    for (let looks = 1; ; looks += 1) {
      const alert = await store.find(alertId);
      const entry = alert?.outbox.find((one) => one.entryId === entryId);
      if (entry === undefined || !isBeingMade(entry, number)) return (await store.findAttempt(_id)) ?? attempt;
      if (looks === maxLooks) {
        throw new AppError('database_unavailable', { detail: 'what an attempt has come to is not stored yet' });
      }
      await sleep(lookAgainMs);
    }
  }

  /** Its attempt is on its way to the database. */
  async function tellEntry(
    receipt: Receipt,
    attemptId: string,
    { alertId, number, entry }: AlertAttempt & { entry: OutboxEntry },
  ): Promise<void> {
    metrics.told(entry.channel, receipt.provider, 'arrived');
    const change = toTold(receipt, { ...entry, _id: attemptId, number }, 'arrived');
    await gather.add(alertId, change, [], holdFor('arrived'));
  }
}

/** A vendor may be faster than the write that is gathered. @throws AppError `database_unavailable` */
export async function findStoredAttempt(
  store: Pick<DispatchStore, 'findAttempt'>,
  attemptId: string,
): Promise<AlertAttemptDocument | null> {
  for (let looks = 1; ; looks += 1) {
    const known = await store.findAttempt(attemptId);
    if (known !== null || looks === maxLooks) return known;
    await sleep(lookAgainMs);
  }
}

/** That something arrived has no hurry; whoever has to ask another company does. */
const holdFor = (result: 'arrived' | 'unanswered' | 'failed') =>
  result === 'arrived' ? { holdMs: patientHoldMs / 2 } : {};

function toTold(
  { provider, status, vendorCode, atMs }: Receipt,
  {
    _id,
    entryId,
    number,
    channel,
    recipient,
  }: Pick<AlertAttemptDocument, '_id' | 'entryId' | 'number' | 'channel' | 'recipient'>,
  result: Told['result'],
): EntryChange {
  const data = { entryId, channel, provider, status, ...(vendorCode !== undefined && { vendorCode }) };
  // Everybody on call gets a text of their own, and all of them are one entry.
  const isShared = recipient.kind === 'on_call' && result === 'arrived';
  const sharedTry = isShared && { sharedTry: { provider, endedAtMs: atMs } };
  const fact = { factId: `${_id}-${status}`, kind: 'receipt', data };
  return { kind: 'told', entryId, number, result, ...sharedTry, fact };
}

/** Of an attempt that is not stored yet the entry may know whose it is; else it is of a company of the same channel. */
function mayBeOf({ channel, tries }: OutboxEntry, number: string | undefined, { provider }: Receipt): boolean {
  const made = tries.find((one) => one.number === number);
  return made === undefined ? channelOf[provider] === channel : made.provider === provider;
}

/** By whoever has the entry now; what somebody before them has left behind is made again anyway. */
const isBeingMade = ({ state, fence, tries }: OutboxEntry, number: string): boolean =>
  state === 'SENDING' && number.startsWith(`${fence}-`) && !tries.some((one) => one.number === number);

export const isOnCallCall = ({ recipient, channel }: Pick<OutboxEntry, 'recipient' | 'channel'>): boolean =>
  recipient.kind === 'on_call' && channel === 'voice';

/**
 * What a receipt means for the entry; undefined where it is only on its way.
 *
 * Whoever is on call has not been reached by a call that was taken: a mailbox takes calls too. While it lasts they may still press the key;
 * when it has ended without it is the next person's turn.
 */
function resultOf(status: ReceiptStatus, isOnCall: boolean): 'arrived' | 'unanswered' | 'failed' | undefined {
  switch (status) {
    case 'answered':
      return isOnCall ? undefined : 'arrived';
    case 'completed':
      return isOnCall ? 'unanswered' : 'arrived';
    case 'delivered':
    case 'read':
      return 'arrived';
    case 'busy':
    case 'no-answer':
      return 'unanswered';
    case 'failed':
      return 'failed';
    default:
      return undefined;
  }
}
