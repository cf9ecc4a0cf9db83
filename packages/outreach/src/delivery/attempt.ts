import type { ErrorClass, FailureReason, ProviderName, SendOutcome } from '@hushryd/providers/provider';

/** What became of one call of one provider, as it is kept and shown. Holds no address and nothing of the message. */
export interface Attempt {
  /** As the provider was given it, and gives it back in receipts. */
  readonly attemptId: string;
  readonly provider: ProviderName;
  readonly startedAtMs: number;
  readonly latencyMs: number;
  readonly outcome: 'accepted' | 'failed';
  readonly providerMessageId?: string;
  readonly errorClass?: ErrorClass;
  /** `broken`: the adapter itself failed, a mistake of ours. */
  readonly reason?: FailureReason | 'broken';
  /** The vendor may have taken it all the same. */
  readonly isUnknown?: boolean;
  readonly httpStatus?: number;
  readonly vendorCode?: string;
  /** The vendor asks for this pause. */
  readonly retryAfterMs?: number;
}

export function toAttempt(
  call: Pick<Attempt, 'attemptId' | 'provider' | 'startedAtMs' | 'latencyMs'>,
  outcome: SendOutcome,
): Attempt {
  if (outcome.kind === 'accepted') {
    return { ...call, outcome: 'accepted', providerMessageId: outcome.providerMessageId };
  }
  const { kind: _, ...failure } = outcome;
  return { ...call, outcome: 'failed', ...failure };
}

const aboutRecipient = new Set<Attempt['reason']>([
  'recipient-invalid',
  'recipient-unsubscribed',
  'token-dead',
  'unsupported',
  'aborted',
]);

/** Whether it speaks against the provider. That a recipient is wrong speaks for one that noticed. */
export function isProviderFault({ outcome, reason }: Pick<Attempt, 'outcome' | 'reason'>): boolean {
  return outcome === 'failed' && !aboutRecipient.has(reason);
}
