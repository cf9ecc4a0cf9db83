import type { OutboxChannel } from '@hushryd/contracts/http/sos';
import type { ProviderName } from '@hushryd/providers/provider';
import type { EntryEndReason, EntryTry, OutboxEntry } from '../alerts/alert-document.ts';
import { type PastAttempt, type PlanSettings, planAttempt } from '../delivery/plan-attempt.ts';

/** What to do with an entry that somebody has taken. */
export type EntryPlan =
  | { kind: 'send'; provider: ProviderName; inMs: number; personIndex: number }
  | { kind: 'end'; state: 'ACCEPTED' | 'FAILED'; reason?: EntryEndReason };

type Known = Pick<OutboxEntry, 'channel' | 'recipient' | 'tries'>;

/**
 * Whom to ask next for an entry, from its tries alone: providers in turn, one attempt each. Pure, so that another process, or one without a
 * database, can go on where one stopped.
 *
 * A call that rang and was not taken has ended; on call it is the next person's turn, also where a mailbox took it.
 *
 * @param people who can be called on the level of an on-call entry, or share it; 1 for any other
 */
export function planEntry({
  entry,
  providers,
  people = 1,
  settings,
  nowMs,
  random,
}: {
  entry: Known;
  providers: readonly ProviderName[];
  people?: number;
  settings: PlanSettings;
  nowMs: number;
  random: () => number;
}): EntryPlan {
  const arrived = entry.tries.filter(({ result }) => result === 'arrived').length;
  if (arrived >= people) return { kind: 'end', state: 'ACCEPTED' };
  // Of the others.
  const awaited = entry.tries.filter(({ result }) => result !== 'arrived');
  const tries = isCall(entry) ? awaited.map(toCallTry) : awaited;
  const rang = tries.filter(({ result }) => result === 'unanswered').length;
  if (rang >= people) return { kind: 'end', state: 'FAILED', reason: 'not-answered' };
  // Of the person whose turn it is.
  const own = tries.slice(tries.findLastIndex(({ result }) => result === 'unanswered') + 1);
  const takers = own.filter(({ result }) => result === 'accepted').map(({ provider }) => provider);
  const plan = planAttempt({
    mode: 'alert',
    // Whoever has taken it and says nothing would only send it twice.
    providers: providers.filter((provider) => !takers.includes(provider)),
    attempts: own.map(toPast),
    settings,
    retryAtMs: () => undefined,
    nowMs,
    random,
  });
  if (plan.kind === 'send') {
    return { kind: 'send', provider: plan.provider, inMs: Math.max(0, plan.notBeforeMs - nowMs), personIndex: rang };
  }
  if (takers.length > 0 || arrived > 0) return { kind: 'end', state: 'ACCEPTED' };
  const isUnserved = plan.kind === 'ended' && plan.reason === 'no-provider';
  return { kind: 'end', state: 'FAILED', reason: isUnserved ? 'no-provider' : 'exhausted' };
}

/** Until when something must have been heard of what a provider took; null where nothing more is awaited. */
export function awaitsMs({ channel, recipient }: Known, receiptWaitMs: number): number | null {
  if (channel === 'sms' || channel === 'whatsapp') return receiptWaitMs;
  // It rings for 30 s. Whoever is on call next must not wait for a receipt that is lost.
  return channel === 'voice' && recipient.kind === 'on_call' ? callWaitMs : null;
}

const callWaitMs = 45_000;

const isCall = ({ channel }: { channel: OutboxChannel }): boolean => channel === 'voice';

/** Nobody is called twice since nothing was heard of the first call. */
const toCallTry = (made: EntryTry): EntryTry => (made.result === 'accepted' ? { ...made, result: 'unanswered' } : made);

function toPast({ provider, result, endedAtMs }: EntryTry): PastAttempt {
  const isSilent = result === 'accepted' || result === 'arrived' || result === 'unanswered';
  return { provider, result: isSilent ? 'silent' : result, endedAtMs };
}
