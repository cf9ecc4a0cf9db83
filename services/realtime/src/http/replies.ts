import type { HttpResponse } from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { AppError } from '@hushryd/platform/errors/app-error';
import { readCorrelationId } from '@hushryd/platform/errors/correlation-id';
import { toProblem } from '@hushryd/platform/errors/problem';

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
  const { problem, headers } = toProblem(error, { correlationId: readCorrelationId(requestId) });
  replyJson(res, problem.status, problem, headers);
}
