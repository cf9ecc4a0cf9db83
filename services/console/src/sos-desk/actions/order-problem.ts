import { HttpProblem } from '@hushryd/sdk/http/http-problem';
import type { AlertOrders, Order } from './use-alert-orders.ts';

const unknownWords: Record<Order['kind'], string> = {
  claim: 'It is not known whether the alert is yours.',
  acknowledge: 'It is not known whether the alert was acknowledged; the escalation may go on.',
  call: 'It is not known whether the person is being called; asked again it is still one call.',
  note: 'It is not known whether the note was kept; sent again it is still one note.',
  resolve: 'It is not known whether the alert was resolved; to ask again does no harm.',
  dismiss: 'It is not known whether the alert was closed; to ask again does no harm.',
};

/** What a failed order may have come to: a refusal is certain, a silence is not. Pure. */
export function describeFailure(kind: Order['kind'], error: unknown): string {
  const isRefused = error instanceof HttpProblem && !error.isRetryable;
  return isRefused ? 'That was not done.' : unknownWords[kind];
}

/** For a dialog, which stays open with what was typed. */
export function problemOf({ outcome }: AlertOrders, kind: Order['kind']): { error: unknown; what: string } | null {
  if (outcome?.result !== 'failed' || outcome.kind !== kind) return null;
  return { error: outcome.error, what: describeFailure(kind, outcome.error) };
}
