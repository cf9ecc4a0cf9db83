import type { ErrorClass, ProviderName } from '@hushryd/providers/provider';

/**
 * `patient`: a provider up to three times with growing pauses, then the next one. `alert`: providers in turn (A, B, A, B …), one try
 * each, a pause only when all have failed, and no breaker stops it.
 */
export type DeliveryMode = 'patient' | 'alert';

/** What is known of an earlier try. `silent`: the vendor took it, and the receipt that must come has not. */
export interface PastAttempt {
  readonly provider: ProviderName;
  readonly result: ErrorClass | 'silent';
  readonly endedAtMs: number;
  readonly retryAfterMs?: number | undefined;
}

export interface PlanSettings {
  readonly triesPerProvider: number;
  /** Before the second try on a provider at most this, doubled with each further one, at most `backoffMaxMs`. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** A vendor that asks for a longer pause is left for the next one. */
  readonly longestPauseMs: number;
}

export type Plan =
  | { readonly kind: 'send'; readonly provider: ProviderName; readonly notBeforeMs: number }
  /** Whoever is left may not be asked before that. */
  | { readonly kind: 'postpone'; readonly untilMs: number }
  | { readonly kind: 'ended'; readonly reason: 'give-up' | 'exhausted' | 'no-provider' };

export interface PlanInput {
  readonly mode: DeliveryMode;
  /** The first to be tried first. */
  readonly providers: readonly ProviderName[];
  /** Of this delivery, oldest first. */
  readonly attempts: readonly PastAttempt[];
  readonly settings: PlanSettings;
  /** Of the provider's breaker; undefined where it may be asked. */
  readonly retryAtMs: (provider: ProviderName) => number | undefined;
  readonly nowMs: number;
  /** 0 to 1, for full jitter: whoever failed together does not come back together. */
  readonly random: () => number;
}

/** Whom to ask next, and when, from what has happened so far. Pure, so that another process can go on where one died. */
export function planAttempt(input: PlanInput): Plan {
  if (input.providers.length === 0) return { kind: 'ended', reason: 'no-provider' };
  return input.mode === 'alert' ? planAlert(input) : planPatient(input);
}

function planPatient(input: PlanInput): Plan {
  const { providers, attempts, settings, retryAtMs, nowMs } = input;
  if (attempts.at(-1)?.result === 'give-up') return { kind: 'ended', reason: 'give-up' };
  let soonestMs: number | undefined;
  for (const provider of providers) {
    const tries = attempts.filter((attempt) => attempt.provider === provider);
    if (tries.length >= settings.triesPerProvider || tries.some(({ result }) => result !== 'retry')) continue;
    const last = tries.at(-1);
    const askedPauseMs = last?.retryAfterMs ?? 0;
    const notBeforeMs =
      last === undefined ? nowMs : last.endedAtMs + Math.max(askedPauseMs, pauseMs(tries.length, input));
    const barredUntilMs = retryAtMs(provider) ?? (askedPauseMs > settings.longestPauseMs ? notBeforeMs : undefined);
    if (barredUntilMs === undefined || barredUntilMs <= nowMs) return { kind: 'send', provider, notBeforeMs };
    soonestMs = Math.min(soonestMs ?? barredUntilMs, barredUntilMs);
  }
  return soonestMs === undefined ? { kind: 'ended', reason: 'exhausted' } : { kind: 'postpone', untilMs: soonestMs };
}

/** No single vendor is believed that a person cannot be reached: to an alert `give-up` means the next one. */
function planAlert(input: PlanInput): Plan {
  const { providers, attempts, settings, nowMs } = input;
  const usable = providers
    .map((provider) => ({ provider, tries: attempts.filter((attempt) => attempt.provider === provider) }))
    .filter(({ tries }) => tries.every(({ result }) => result === 'retry' || result === 'silent'));
  const counts = usable.map(({ tries }) => tries.length);
  const fewest = Math.min(...counts);
  const next = usable.find(({ tries }) => tries.length === fewest);
  if (next === undefined || fewest >= settings.triesPerProvider) return { kind: 'ended', reason: 'exhausted' };
  const haveAllFailed = fewest > 0 && Math.max(...counts) === fewest;
  const lastEndedAtMs = attempts.at(-1)?.endedAtMs ?? nowMs;
  return {
    kind: 'send',
    provider: next.provider,
    notBeforeMs: haveAllFailed ? lastEndedAtMs + pauseMs(fewest, input) : nowMs,
  };
}

function pauseMs(triesSoFar: number, { settings, random }: Pick<PlanInput, 'settings' | 'random'>): number {
  return random() * Math.min(settings.backoffMaxMs, settings.backoffMs * 2 ** (triesSoFar - 1));
}
