import type { ErrorCode } from '@hushryd/contracts/errors';
import type { Problem } from '@hushryd/contracts/http/problem';
import type { ResponseLike } from './fetch.ts';

/** `unreachable`: no answer came (network, DNS, deadline). `unreadable`: an answer that is not ours, as from a proxy. */
export type HttpProblemCode = ErrorCode | 'unreachable' | 'unreadable';

/** A request that did not succeed. Branch on `code`; show `correlationId` to support. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: HttpProblemCode;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** The same request may succeed later, unchanged. A write whose answer never came may have happened: retry with the same ids. */
  readonly isRetryable: boolean;
  readonly correlationId: string | undefined;
  /** From `Retry-After`. */
  readonly retryAfterMs: number | undefined;
  /** Each bad field of a refused body. */
  readonly errors: Problem['errors'];

  constructor(input: {
    code: HttpProblemCode;
    status: number;
    message: string;
    correlationId?: string | undefined;
    retryAfterMs?: number | undefined;
    errors?: Problem['errors'];
    cause?: unknown;
  }) {
    super(input.message, { cause: input.cause });
    this.code = input.code;
    this.status = input.status;
    this.isRetryable = input.status === 0 || input.status === 429 || input.status >= 500;
    this.correlationId = input.correlationId;
    this.retryAfterMs = input.retryAfterMs;
    this.errors = input.errors;
  }
}

/** The problem that an answer of 4xx or 5xx describes. */
export async function toHttpProblem(response: ResponseLike, nowMs: number): Promise<HttpProblem> {
  const retryAfterMs = parseRetryAfterMs(response.headers.get('retry-after'), nowMs);
  const problem = parseProblem(await response.text());
  if (!problem) {
    const message = `HTTP ${response.status} without a problem description`;
    return new HttpProblem({ code: 'unreadable', status: response.status, message, retryAfterMs });
  }
  const { code, correlationId, errors, title, detail } = problem;
  const message = detail ? `${title}: ${detail}` : title;
  return new HttpProblem({ code, status: response.status, message, correlationId, retryAfterMs, errors });
}

function parseProblem(body: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && 'code' in value ? (value as Problem) : undefined;
  } catch {
    return undefined; // Not JSON: a proxy's page.
  }
}

/** Seconds or an HTTP date (RFC 9110 §10.2.3), as milliseconds from now. */
function parseRetryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
