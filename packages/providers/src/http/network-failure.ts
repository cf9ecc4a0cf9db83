import { failed, type SendFailure } from '../provider.ts';

/** The connection was never made, so nothing can have been taken. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Certificates do not mend within a retry, and checking them is never turned off. */
const certificateCode = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_)/;

/** Why no answer came. What was written may have been taken: only a connection that was never made is certain. */
export function toNetworkFailure(error: unknown, state: { isAborted: boolean; isLate: boolean }): SendFailure {
  if (state.isAborted) return failed('retry', 'aborted', { isUnknown: true });
  if (state.isLate) return failed('retry', 'timeout', { isUnknown: true });
  const vendorCode = codeOf(error);
  if (certificateCode.test(vendorCode)) return failed('next', 'certificate', { vendorCode });
  if (vendorCode === 'answer_too_large') return failed('retry', 'answer-malformed', { vendorCode, isUnknown: true });
  return failed('retry', 'network', { vendorCode, isUnknown: !neverSent.has(vendorCode) });
}

/** Several addresses of one name fail as one error without a code of its own. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'unknown';
}
