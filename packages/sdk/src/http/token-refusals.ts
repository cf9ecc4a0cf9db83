import type { ErrorCode } from '@hushryd/contracts/errors';
import { HttpProblem } from './http-problem.ts';

/** Answers in a row that refuse the token before it is over: the first may be of one that was just replaced, the second was asked for anew. */
export const maxTokenRefusals = 2;

/** `token_expired` is none of them: the next token is another. */
const refusals: ReadonlySet<string> = new Set<ErrorCode>(['token_invalid', 'token_missing', 'token_revoked']);

/** Was the token itself refused, over whichever way it came? */
export function isTokenRefusal(error: unknown): error is HttpProblem {
  return error instanceof HttpProblem && error.status > 0 && refusals.has(error.code);
}
