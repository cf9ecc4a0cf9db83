import { failed, type SendFailure } from '../provider.ts';
import type { VendorAnswer } from './vendor-http.ts';

/** What a vendor's own code means, where it says more than the status. */
export type CodeMeaning = Pick<SendFailure, 'errorClass' | 'reason'>;

/**
 * A refusal as a failure: the vendor's code decides where it is known, else the status.
 *
 * 408, 425, 429 and 5xx may pass. 401 and 403 are keys, 402 the bill, other 4xx our request: another provider may do better, the same
 * one will not. Whoever answers 500, 502 or 504 may have taken the message before.
 */
export function toFailure(
  answer: Pick<VendorAnswer, 'status' | 'headers'>,
  {
    vendorCode,
    meaning,
    nowMs = Date.now(),
  }: { vendorCode?: string | undefined; meaning?: CodeMeaning | undefined; nowMs?: number },
): SendFailure {
  const { errorClass, reason } = meaning ?? meaningOfStatus(answer.status);
  const retryAfterMs = errorClass === 'retry' ? readRetryAfter(answer.headers['retry-after'], nowMs) : undefined;
  return failed(errorClass, reason, {
    httpStatus: answer.status,
    isUnknown: [500, 502, 504].includes(answer.status),
    ...(vendorCode !== undefined && { vendorCode }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** A 2xx without what it must hold: nobody knows what became of the message. */
export function toMalformed(answer: Pick<VendorAnswer, 'status'>, vendorCode?: string): SendFailure {
  return failed('retry', 'answer-malformed', {
    httpStatus: answer.status,
    isUnknown: true,
    ...(vendorCode !== undefined && { vendorCode }),
  });
}

function meaningOfStatus(status: number): CodeMeaning {
  if (status === 429) return { errorClass: 'retry', reason: 'rate-limited' };
  if (status >= 500 || status === 408 || status === 425) return { errorClass: 'retry', reason: 'vendor-error' };
  if (status === 401 || status === 403) return { errorClass: 'next', reason: 'unauthorised' };
  if (status === 402) return { errorClass: 'next', reason: 'suspended' };
  return { errorClass: 'next', reason: 'misconfigured' };
}

const longestPauseMs = 3_600_000;

/** `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), at most an hour. */
export function readRetryAfter(header: string | string[] | undefined, nowMs: number): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim();
  if (!text) return undefined;
  const pauseMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(pauseMs) ? undefined : Math.min(longestPauseMs, Math.max(0, pauseMs));
}
