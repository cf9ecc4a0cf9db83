import type { HttpResponse } from 'uWebSockets.js';
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Problem } from '@hushryd/contracts/http/problem';
import type { AppError } from '@hushryd/platform/errors/app-error';

/** Answer with JSON. The response must not have been aborted. */
export function replyJson(
  res: HttpResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.cork(() => {
    res.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
    const all = { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers };
    for (const [name, value] of Object.entries(all)) res.writeHeader(name, value);
    res.end(JSON.stringify(body));
  });
}

/** Answer with problem details (RFC 9457). What lies behind a 5xx stays inside. */
export function replyProblem(res: HttpResponse, error: AppError, requestId: string): void {
  const correlationId = /^[A-Za-z0-9_.:-]{8,128}$/.test(requestId) ? requestId : randomUUID();
  const problem: Problem = {
    type: 'about:blank',
    title: error.title,
    status: error.status,
    code: error.code,
    ...(error.detail !== undefined && error.status < 500 && { detail: error.detail }),
    correlationId,
  };
  replyJson(res, error.status, problem, {
    'content-type': 'application/problem+json',
    'x-request-id': correlationId,
    ...(error.status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(error.retryable && { 'retry-after': String(Math.ceil((error.retryAfterMs ?? 1000) / 1000)) }),
  });
}
