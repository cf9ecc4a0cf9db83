import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { Provider, ProviderName } from '@hushryd/providers/provider';
import { type Attempt, isProviderFault, toAttempt } from './attempt.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import { type DeliveryMode, type PastAttempt, type Plan, planAttempt } from './plan-attempt.ts';
import type { Scorecards } from './scorecards.ts';

/** One call of one provider. */
export interface Call<Message> {
  readonly provider: Provider<Message>;
  readonly message: Message;
  readonly attemptId: string;
  /** Where the vendor posts receipts of this attempt. */
  readonly receiptUrl?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One message on its way over a channel. */
export interface Task<Message> {
  readonly mode: DeliveryMode;
  /** Of the channel, the first to be tried first. */
  readonly providers: readonly Provider<Message>[];
  readonly message: Message;
  readonly correlationId?: string | undefined;
  /** Of this delivery, by whichever process; oldest first. */
  readonly earlier: readonly PastAttempt[];
  /** Of the next attempt: a new one each time, also over restarts, or receipts of two attempts are taken for one another. */
  readonly nextAttemptId: () => string;
  readonly receiptUrlOf?: (call: { provider: ProviderName; attemptId: string }) => string | undefined;
  /**
   * Keeps what became of an attempt before anything else is done. `stop`: the message has arrived meanwhile, whatever its sender said.
   * Where it rejects, the delivery ends with that: whoever lost the right to this message must not send on.
   */
  readonly onAttempt: (attempt: Attempt) => Promise<'stop' | undefined>;
  /** Ends it between two attempts: one that is under way is over within its deadline, and cut off nobody would know what became of it. */
  readonly signal?: AbortSignal | undefined;
}

export type Delivery =
  | { readonly kind: 'accepted'; readonly attempt: Attempt }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly reason: 'give-up' | 'exhausted' | 'no-provider' }
  /** Nobody may be asked before that, or not within the longest pause that is waited here. */
  | { readonly kind: 'postponed'; readonly untilMs: number };

export interface DeliveryDesk {
  /** @throws whatever `onAttempt` throws; the signal's reason when it is aborted between attempts */
  deliver<Message>(task: Task<Message>): Promise<Delivery>;
  /**
   * One attempt, counted; for dispatchers that plan by themselves (plan-attempt.ts).
   *
   * @param call.isForced also where the breaker is open
   * @returns undefined where the breaker lets nobody through
   */
  attempt<Message>(call: Call<Message> & { isForced?: boolean }): Promise<Attempt | undefined>;
  /** When the provider may be asked again; undefined where it may now. */
  retryAtMs(provider: ProviderName): number | undefined;
  /** The clock that its attempts are told by, epoch milliseconds: whoever plans the next one by them uses no other. */
  readonly now: () => number;
}

/** Shorter pauses are waited for in place; for longer ones the message is put aside. */
const longestWaitMs = 5_000;

/**
 * Carries messages over the providers of a channel: whom to ask and when is plan-attempt.ts, here are breakers, deadlines and counts. A
 * process has one, so that all messages share what is known of a provider.
 */
export function createDeliveryDesk({
  settings,
  scorecards,
  telemetry,
  log,
  now = Date.now,
  random = Math.random,
}: {
  settings: DeliverySettings;
  scorecards: Scorecards;
  telemetry: Telemetry;
  log: Logger;
  now?: () => number;
  random?: () => number;
}): DeliveryDesk {
  const breakers = new Map<ProviderName, Breaker>();
  const isOpen = telemetry.gauge({
    name: 'provider_breaker_open',
    help: '1 while calls of the provider are held back',
    labelNames: ['provider'],
  });
  const breakerOf = (provider: ProviderName): Breaker => {
    const breaker = breakers.get(provider) ?? createBreaker({ ...settings.breaker, now });
    breakers.set(provider, breaker);
    return breaker;
  };
  const retryAtMs = (provider: ProviderName) => breakerOf(provider).retryAtMs;

  async function attempt<Message>({
    provider,
    message,
    isForced = false,
    ...context
  }: Call<Message> & { isForced?: boolean }): Promise<Attempt | undefined> {
    const breaker = breakerOf(provider.name);
    const permit = breaker.enter({ isForced });
    if (permit === undefined) return undefined;
    const startedAtMs = now();
    const startedAt = performance.now();
    const call = () => ({
      attemptId: context.attemptId,
      provider: provider.name,
      startedAtMs,
      latencyMs: Math.round(performance.now() - startedAt),
    });
    try {
      const outcome = await provider.send(message, { ...context, deadlineMs: settings.deadlineMs });
      const made = toAttempt(call(), outcome);
      permit.end(outcomeFor(made));
      scorecards.record(made);
      return made;
    } catch (err) {
      log.error({ err, provider: provider.name, attemptId: context.attemptId }, 'a provider’s adapter failed');
      const made: Attempt = { ...call(), outcome: 'failed', errorClass: 'next', reason: 'broken', isUnknown: true };
      permit.end('neither');
      scorecards.record(made);
      return made;
    } finally {
      permit.end('neither');
      isOpen.set({ provider: provider.name }, breaker.state === 'closed' ? 0 : 1);
    }
  }

  async function deliver<Message>(task: Task<Message>): Promise<Delivery> {
    const attempts = [...task.earlier];
    for (;;) {
      task.signal?.throwIfAborted();
      const plan = planNext(task, attempts);
      if (plan.kind === 'ended') return { kind: 'failed', reason: plan.reason };
      if (plan.kind === 'postpone') return { kind: 'postponed', untilMs: plan.untilMs };
      await waitUntil(plan.notBeforeMs, task.signal);
      const made = await attemptBy(task, plan.provider);
      // Others were faster to the one probe: the plan knows that now.
      if (made === undefined) continue;
      if ((await task.onAttempt(made)) === 'stop') return { kind: 'stopped' };
      if (made.outcome === 'accepted') return { kind: 'accepted', attempt: made };
      attempts.push(toPastAttempt(made));
    }
  }

  /** Long pauses are nobody's to wait for. */
  function planNext(
    { mode, providers }: Pick<Task<never>, 'mode' | 'providers'>,
    attempts: readonly PastAttempt[],
  ): Plan {
    const names = providers.map(({ name }) => name);
    const plan = planAttempt({
      mode,
      providers: names,
      attempts,
      settings: settings.plan,
      retryAtMs,
      nowMs: now(),
      random,
    });
    if (plan.kind !== 'send' || plan.notBeforeMs - now() <= longestWaitMs) return plan;
    return { kind: 'postpone', untilMs: plan.notBeforeMs };
  }

  async function waitUntil(atMs: number, signal: AbortSignal | undefined): Promise<void> {
    const waitMs = atMs - now();
    if (waitMs > 0) await sleep(waitMs, undefined, { ...(signal && { signal }) });
  }

  async function attemptBy<Message>(task: Task<Message>, name: ProviderName): Promise<Attempt | undefined> {
    const provider = task.providers.find((one) => one.name === name);
    if (provider === undefined) throw new Error(`The plan names ${name}, which is not of this channel`);
    const attemptId = task.nextAttemptId();
    const receiptUrl = task.receiptUrlOf?.({ provider: name, attemptId });
    const { message, correlationId, mode } = task;
    return attempt({ provider, message, attemptId, receiptUrl, correlationId, isForced: mode === 'alert' });
  }

  return { deliver, attempt, retryAtMs, now };
}

/** A failed attempt as the plan sees it. */
export function toPastAttempt(attempt: Attempt): PastAttempt {
  return {
    provider: attempt.provider,
    result: attempt.errorClass ?? 'next',
    endedAtMs: attempt.startedAtMs + attempt.latencyMs,
    retryAfterMs: attempt.retryAfterMs,
  };
}

function outcomeFor(attempt: Attempt): 'success' | 'failure' | 'neither' {
  if (attempt.reason === 'aborted') return 'neither';
  return isProviderFault(attempt) ? 'failure' : 'success';
}
