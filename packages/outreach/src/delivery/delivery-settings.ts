import Type, { type Static, type TObject } from 'typebox';
import type { BreakerSettings } from './breaker.ts';
import type { PlanSettings } from './plan-attempt.ts';

/** Variables of every process that sends: spread into a service's schema, beside those of the providers. */
export const deliveryEnvironment = {
  /** One call of a provider, answer included. */
  PROVIDER_DEADLINE_MS: Type.Integer({ minimum: 10, maximum: 60_000, default: 3_000 }),
  /** On one provider before the next one's turn. */
  PROVIDER_TRIES: Type.Integer({ minimum: 1, maximum: 10, default: 3 }),
  /** Before a second try at most this, doubled with each further one. */
  PROVIDER_BACKOFF_MS: Type.Integer({ minimum: 0, maximum: 60_000, default: 500 }),
  /** Failures in a row after which a provider is left alone, and for how long. */
  PROVIDER_BREAKER_FAILURES: Type.Integer({ minimum: 1, maximum: 1_000, default: 10 }),
  PROVIDER_BREAKER_RESET_MS: Type.Integer({ minimum: 10, maximum: 3_600_000, default: 120_000 }),
};

export interface DeliverySettings {
  readonly deadlineMs: number;
  readonly plan: PlanSettings;
  readonly breaker: BreakerSettings;
}

export function toDeliverySettings(env: Static<TObject<typeof deliveryEnvironment>>): DeliverySettings {
  return {
    deadlineMs: env.PROVIDER_DEADLINE_MS,
    plan: {
      triesPerProvider: env.PROVIDER_TRIES,
      backoffMs: env.PROVIDER_BACKOFF_MS,
      backoffMaxMs: env.PROVIDER_BACKOFF_MS * 8,
      longestPauseMs: env.PROVIDER_DEADLINE_MS,
    },
    breaker: { failures: env.PROVIDER_BREAKER_FAILURES, resetMs: env.PROVIDER_BREAKER_RESET_MS },
  };
}
