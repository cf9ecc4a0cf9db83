import { createLimitInFlight } from '@hushryd/platform/lifecycle/limit-in-flight';
import { createPeriodic, type Periodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { type KeyReply, toKeyReply } from '@hushryd/providers/receipts/answer-keys';
import type { Receipt, RefusalReason, WebhookRequest } from '@hushryd/providers/receipts/receipt';
import { type TellingProvider, verifyWebhook, type WebhookKeys } from '@hushryd/providers/receipts/verify-webhook';
import { answerKeys, type KeyOutcome } from '../dispatch/answer-keys.ts';
import type { WebhookStore } from './webhook-store.ts';

/**
 * Whoever sent messages and wants to know what became of them: the notifications, and the alerts.
 *
 * May be told the same receipt again. Keys that somebody pressed in a call are a receipt with `digits`.
 *
 * @returns false where the receipt is of nobody's message here; of keys that were asked for, what they have come to
 */
export type TakeReceipt = (receipt: Receipt) => Promise<Taken>;

export type Taken = boolean | KeyOutcome;

export type WebhookReply =
  | { readonly kind: 'refused'; readonly reason: RefusalReason }
  | { readonly kind: 'taken'; readonly reply?: KeyReply };

export interface WebhookDesk {
  /**
   * Verify, keep, then let it have its effect. What is `taken` is stored by a majority, or in the journal of the node that sent it: answer
   * 2xx, or the vendor comes again for ever.
   *
   * @throws AppError `database_unavailable` where it could not be stored
   */
  take(webhook: { provider: TellingProvider; request: WebhookRequest }): Promise<WebhookReply>;
  /** What was kept and, the process having died or the database, has had no effect yet. */
  retryPending(): Promise<void>;
}

interface Kept {
  readonly is: 'pending' | 'done' | 'direct';
  readonly receipt: Receipt;
  /** What a direct taker made of it. */
  readonly taken?: Taken;
}

const pendingAfterMs = 5_000;
const pendingASweep = 500;
/** Of one request, or one sweep. */
const messagesAtOnce = 16;

/**
 * Vendors' webhooks. A repetition is known by its event for seven days and changes nothing; a step back changes nothing either, which is
 * for the takers to see to (`isProgress`).
 *
 * @param takers asked in this order
 * @param directTakers asked in their place while the database is away: they keep what they take themselves
 */
export function createWebhookDesk({
  keys,
  store,
  takers,
  directTakers = [],
  telemetry,
  log,
  now = Date.now,
}: {
  keys: WebhookKeys;
  store: WebhookStore;
  takers: readonly TakeReceipt[];
  directTakers?: readonly TakeReceipt[];
  telemetry: Telemetry;
  log: Logger;
  now?: () => number;
}): WebhookDesk {
  const heard = telemetry.counter({
    name: 'webhook_receipts_total',
    help: 'Receipts that vendors sent: taken, repeated, of nobody here; and requests refused',
    labelNames: ['provider', 'outcome'],
  });

  async function apply(receipt: Receipt): Promise<Taken> {
    let taken: Taken = false;
    for (const take of takers) taken ||= await take(receipt);
    heard.inc({ provider: receipt.provider, outcome: taken ? 'taken' : 'unknown' });
    await store.settle(receipt);
    return taken;
  }

  async function keep(receipt: Receipt): Promise<Kept> {
    try {
      return await store.keep(receipt, now());
    } catch (error) {
      for (const take of directTakers) {
        const taken = await take(receipt);
        if (taken) return { is: 'direct', receipt, taken };
      }
      throw error;
    }
  }

  async function applyOrLeave(receipt: Receipt): Promise<Taken | undefined> {
    try {
      return await apply(receipt);
    } catch (err) {
      log.warn({ err, provider: receipt.provider }, 'a receipt was kept and has no effect yet');
      return undefined;
    }
  }

  /** In order of one message's own: a vendor that gathers its news tells the oldest first. Different messages do not wait for one another. */
  async function applyAll(receipts: readonly Receipt[]): Promise<(Taken | undefined)[]> {
    const inTurn = createLimitInFlight(messagesAtOnce);
    const outcomes = await Promise.all(
      byMessage(receipts).map((group) =>
        inTurn(async () => {
          const taken: (Taken | undefined)[] = [];
          for (const receipt of group) taken.push(await applyOrLeave(receipt));
          return taken;
        }),
      ),
    );
    return outcomes.flat();
  }

  return {
    async take({ provider, request }) {
      const verdict = verifyWebhook({ provider, request, keys, nowMs: now() });
      if (verdict.kind === 'refused') {
        heard.inc({ provider, outcome: 'refused' });
        log.warn({ provider, reason: verdict.reason }, 'webhook refused');
        return verdict;
      }
      const kept = await Promise.all(verdict.receipts.map(keep));
      for (const { is } of kept) {
        if (is !== 'pending') heard.inc({ provider, outcome: is === 'direct' ? 'taken' : 'repeated' });
      }
      const applied = await applyAll(kept.filter(({ is }) => is === 'pending').map(({ receipt }) => receipt));
      if (verdict.pressed === undefined) return { kind: 'taken' };
      // Keys come alone.
      const answer = answerKeys(verdict.pressed, applied[0] ?? kept[0]?.taken);
      const reply = await toKeyReply({ provider, request, answer });
      return { kind: 'taken', ...(reply && { reply }) };
    },
    async retryPending() {
      const pending = await store.findPending({ beforeMs: now() - pendingAfterMs, limit: pendingASweep });
      await applyAll(pending);
    },
  };
}

/** Receipts of each message, in their order. Keys that somebody pressed come first: they wait for nobody's news. */
function byMessage(receipts: readonly Receipt[]): Receipt[][] {
  const groups = new Map<string, Receipt[]>();
  for (const receipt of receipts) {
    const message = `${receipt.provider}:${receipt.providerMessageId}`;
    groups.set(message, [...(groups.get(message) ?? []), receipt]);
  }
  const hasDigits = (group: Receipt[]) => group.some(({ digits }) => digits !== undefined);
  return [...groups.values()].toSorted((a, b) => Number(hasDigits(b)) - Number(hasDigits(a)));
}

/** Every worker looks after receipts that were kept and had no effect. */
export function createPendingReceiptsSweep({
  desk,
  everyMs,
  log,
}: {
  desk: Pick<WebhookDesk, 'retryPending'>;
  everyMs: number;
  log: Logger;
}): Periodic {
  return createPeriodic({ name: 'apply pending receipts', everyMs, run: () => desk.retryPending(), log });
}
