import type { CodeMeaning } from '../http/failed-answer.ts';

const rateLimited: CodeMeaning = { errorClass: 'retry', reason: 'rate-limited' };
const vendorError: CodeMeaning = { errorClass: 'retry', reason: 'vendor-error' };
const unauthorised: CodeMeaning = { errorClass: 'next', reason: 'unauthorised' };
const suspended: CodeMeaning = { errorClass: 'next', reason: 'suspended' };
const misconfigured: CodeMeaning = { errorClass: 'next', reason: 'misconfigured' };
const invalid: CodeMeaning = { errorClass: 'give-up', reason: 'recipient-invalid' };

/**
 * Codes in refusals and in receipts that say failed. Meta sends many of them with status 400, so they decide, not the status. Source:
 * developers.facebook.com, WhatsApp, "Error codes".
 */
const meanings: Readonly<Record<string, CodeMeaning>> = {
  '0': unauthorised,
  '3': unauthorised,
  '10': unauthorised,
  '190': unauthorised,
  '131005': unauthorised,
  '368': suspended,
  '130497': suspended,
  '131031': suspended,
  '131042': suspended,
  '1': vendorError,
  '2': vendorError,
  '131000': vendorError,
  '131016': vendorError,
  '131057': vendorError,
  '133004': vendorError,
  '4': rateLimited,
  '80007': rateLimited,
  '130429': rateLimited,
  '131048': rateLimited,
  '131056': rateLimited,
  '131021': invalid,
  '131026': invalid,
  '131030': invalid,
  '131050': { errorClass: 'give-up', reason: 'recipient-unsubscribed' },
  '131051': { errorClass: 'next', reason: 'unsupported' },
  '132000': misconfigured,
  '132001': misconfigured,
  '132005': misconfigured,
  '132007': misconfigured,
  '132012': misconfigured,
  '132015': misconfigured,
  '132016': misconfigured,
  '133010': misconfigured,
};

export function meaningOfWhatsAppCode(code: string | undefined): CodeMeaning | undefined {
  if (code === undefined) return undefined;
  // 200 to 299 are permissions that the token lacks.
  if (/^2\d\d$/.test(code)) return unauthorised;
  return Object.hasOwn(meanings, code) ? meanings[code] : undefined;
}
