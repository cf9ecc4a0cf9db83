import type { Problem } from '@hushryd/contracts/http/problem';
import type { AppError } from './app-error.ts';

/**
 * An error as problem details (RFC 9457) with the headers that belong to it: the same on every listener. What lies behind a 5xx stays
 * inside, its detail goes to the log alone.
 *
 * `Retry-After` is there where the error says when, and for 429 and 503, which ask for the same again (a second at least).
 */
export function toProblem(
  error: AppError,
  { correlationId, errors }: { correlationId: string; errors?: Problem['errors'] },
): { problem: Problem; headers: Record<string, string> } {
  const retryAfterMs = error.retryAfterMs ?? (error.status === 429 || error.status === 503 ? 1000 : undefined);
  return {
    problem: {
      type: `urn:hushryd:problem:${error.code}`,
      title: error.title,
      status: error.status,
      code: error.code,
      ...(error.detail !== undefined && error.status < 500 && { detail: error.detail }),
      correlationId,
      ...(errors !== undefined && { errors }),
    },
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'x-request-id': correlationId,
      ...(error.status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    },
  };
}
