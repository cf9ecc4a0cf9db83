import type { ErrorCode } from '@hushryd/contracts/errors';
import { HttpProblem } from './http-problem.ts';

/** Answers in a row that refuse the token before it is over: the first may be of one that was just replaced, the second was asked for anew. */
export const maxTokenRefusals = 2;

/**
 * A token says in whole seconds when it was issued, and one of the second in which the others were revoked is refused with them. The next
 * one has to be of another second.
 */
export const refusedWaitMs = 1_000;

/** `token_expired` is none of them: the next token is another. */
const refusals: ReadonlySet<string> = new Set<ErrorCode>(['token_invalid', 'token_missing', 'token_revoked']);

/** Was the token itself refused, over whichever way it came? */
export function isTokenRefusal(error: unknown): error is HttpProblem {
  return error instanceof HttpProblem && error.status > 0 && refusals.has(error.code);
}

/** Does the code say that another token is needed, because this one is refused or over? */
export function isOfToken(code: string): boolean {
  return code === 'token_expired' || refusals.has(code);
}

/** Refusals in a row. What comes within a second of one that was counted may be of tokens from the same second, and counts no more. */
export interface RefusalCount {
  /** @returns how many by now, with this one */
  note(): number;
  clear(): void;
}

export function createRefusalCount(now: () => number): RefusalCount {
  let count = 0;
  let countedAtMs = Number.NEGATIVE_INFINITY;

  return {
    note() {
      // A clock that was set back must not make a refusal go on for ever.
      if (Math.abs(now() - countedAtMs) < refusedWaitMs) return count;
      countedAtMs = now();
      count += 1;
      return count;
    },
    clear() {
      count = 0;
      countedAtMs = Number.NEGATIVE_INFINITY;
    },
  };
}
